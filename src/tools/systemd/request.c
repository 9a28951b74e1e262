#include "tools/systemd/request.h"

#include "base/file.h"
#include <limits.h>

static const struct cor_word op_words[] = {
        { "start", OP_START }, { "attach", OP_ATTACH },     { "set", OP_SET }, { "stop", OP_STOP },
        { "trust", OP_TRUST }, { "distrust", OP_DISTRUST }, { NULL, 0 },
};

static const struct cor_json_field property_fields[] = {
        COR_FIELD("name", STR, struct request_property, name, COR_JSON_REQUIRED),
        COR_FIELD("type", STR, struct request_property, type, COR_JSON_REQUIRED),
        COR_FIELD("value", STR, struct request_property, value, COR_JSON_REQUIRED),
        COR_FIELD("since", U32, struct request_property, since, 0),
};
static const struct cor_json_doc property_doc = COR_DOC(struct request_property, property_fields, NULL);

static const struct cor_json_field text_fields[] = {
        COR_FIELD("name", STR, struct request_text, name, COR_JSON_REQUIRED),
        COR_FIELD("value", STR, struct request_text, value, COR_JSON_REQUIRED),
};
static const struct cor_json_doc text_doc = COR_DOC(struct request_text, text_fields, NULL);

static const struct cor_json_field request_fields[] = {
        COR_FIELD_WORD("op", struct request, op, op_words, COR_JSON_REQUIRED),
        COR_FIELD("user", BOOL, struct request, user, 0),
        COR_FIELD_DEF("timeoutMs", I64, struct request, timeout_ms, 30000),
        COR_FIELD("unit", STR, struct request, unit, COR_JSON_REQUIRED),
        COR_FIELD("slice", STR, struct request, slice, 0),
        COR_FIELD("description", STR, struct request, description, 0),
        COR_FIELD("pid", I64, struct request, pid, 0),
        COR_FIELD("below", STR, struct request, below, 0),
        COR_FIELD_LIST_OF("properties", LIST_OBJ, struct request, properties, n_properties, &property_doc, 0),
        COR_FIELD_LIST_OF("texts", LIST_OBJ, struct request, texts, n_texts, &text_doc, 0),
};

static int check(void *object, struct cor_err *err)
{
        struct request *r = object;

        if (r->op == OP_START && (!r->slice || !r->description || r->pid <= 0 || r->pid > INT_MAX))
                return cor_fail(err, COR_INVALID, "start needs slice, description and pid");
        if (r->op == OP_ATTACH && (!r->below || r->pid <= 0 || r->pid > INT_MAX))
                return cor_fail(err, COR_INVALID, "attach needs below and pid");
        return 0;
}

static const struct cor_json_doc request_doc = COR_DOC(struct request, request_fields, check);

int request_read(int fd, struct request **ret, struct cor_err *err)
{
        auto_str text = NULL;
        size_t len;

        if (cor_read_fd(fd, "the request", REQUEST_MAX_BYTES, &text, &len, err) < 0)
                return -1;
        return cor_json_parse(&request_doc, text, len, "request", ret, err);
}
