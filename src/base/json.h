#ifndef CORACLE_BASE_JSON_H
#define CORACLE_BASE_JSON_H
/*
 * The JSON binding: a document is one C struct and one const table. The table parses, checks, applies defaults and
 * prints, so a key is spelled once. Values of the JSON library never leave the binding (json_*.c).
 *
 * Memory: everything a parsed object points to belongs to its root; cor_json_free(root) ends all of it. Strings point
 * into the parsed document. An object may be changed afterwards to point at memory that lives at least as long.
 *
 * null counts as absent. Of a key given twice the last one holds (as in Go's decoder). Unknown keys are dropped, or
 * kept and printed again if the document says so (`extra`).
 *
 * Of lists and maps, none at all (NULL items) and an empty one (items that are not NULL, n 0) are two things, as in Go:
 * COR_JSON_NULL prints the first as null and the second as [] or {}. COR_JSON_NONE_YET is such a pointer.
 */
#include "base/text.h"

/* Optional numbers and booleans: absent and zero are different things. */
struct cor_opt_i64 {
        bool set;
        int64_t value;
};
struct cor_opt_u64 {
        bool set;
        uint64_t value;
};
struct cor_opt_bool {
        bool set, value;
};
/* One entry of a JSON object whose values are strings. */
struct cor_pair {
        const char *key, *value;
};

enum cor_json_type {
        COR_JSON_BOOL,      /* bool */
        COR_JSON_OPT_BOOL,  /* struct cor_opt_bool */
        COR_JSON_I64,       /* int64_t */
        COR_JSON_I32,       /* int32_t */
        COR_JSON_U64,       /* uint64_t */
        COR_JSON_U32,       /* uint32_t */
        COR_JSON_OPT_I64,   /* struct cor_opt_i64 */
        COR_JSON_OPT_U64,   /* struct cor_opt_u64 */
        COR_JSON_OPT_U32,   /* struct cor_opt_u64, at most UINT32_MAX */
        COR_JSON_OPT_U16,   /* struct cor_opt_u64, at most UINT16_MAX */
        COR_JSON_STR,       /* const char *, NULL when absent; no NUL inside */
        COR_JSON_WORD,      /* int: the value of one of `words` */
        COR_JSON_OBJ,       /* struct X *, NULL when absent */
        COR_JSON_INLINE,    /* struct X, embedded; zero when absent */
        COR_JSON_ARRAY_U32, /* uint32_t[def], embedded; what a text lacks is zero, what it has more is dropped */
        COR_JSON_LIST_STR,  /* const char **items, size_t n; items is NULL-terminated, NULL when absent */
        COR_JSON_LIST_U32,  /* uint32_t *items, size_t n */
        COR_JSON_LIST_WORD, /* int *items, size_t n */
        COR_JSON_LIST_OBJ,  /* struct X *items, size_t n */
        COR_JSON_MAP_STR,   /* struct cor_pair *items, size_t n: { "key": "value" } */
        COR_JSON_MAP_OBJ,   /* struct X *items, size_t n: { "key": {…} }; X starts with `const char *key` */
        COR_JSON_RAW,       /* const char *: any value as compact JSON text, printed as it is */
};

enum {
        COR_JSON_REQUIRED = 1, /* must be there and not null */
        COR_JSON_ALWAYS = 2,   /* printed even when empty or zero (default: left out, as Go's omitempty) */
        COR_JSON_NULL = 6,     /* ALWAYS, and an unset optional value, list or map is null; so may values in it be */
        COR_JSON_ONE = 8,      /* LIST_STR: a string is read as a list of one */
};

struct cor_json_doc;

struct cor_json_field {
        const char *key;
        enum cor_json_type type;
        unsigned flags;
        size_t offset, n_offset;
        const struct cor_json_doc *doc; /* OBJ, INLINE, LIST_OBJ, MAP_OBJ */
        const struct cor_word *words;   /* WORD, LIST_WORD */
        int64_t def;                    /* default of BOOL, I64, I32, U64, U32, WORD; length of an ARRAY */
        const char *def_text;           /* default of STR */
};

struct cor_json_doc {
        size_t size;
        const struct cor_json_field *fields;
        size_t n_fields;
        /*
         * Further checks once all fields are read; the error it makes gets the place put in front, and what starts with
         * '.' or '[' joins on to it: ".path: not absolute" becomes "linux.devices[2].path: not absolute". May be NULL.
         */
        int (*check)(void *object, struct cor_err *err);
        bool keep_extra;     /* keep unknown keys: */
        size_t extra_offset; /* const char * in the struct: the unknown members as compact JSON text, or NULL */
        /*
         * In JSON it is not an object but the value of its only field, whose key is not used. With it a list of lists
         * is a LIST_OBJ of structs that each hold a list, and a map to lists a MAP_OBJ of them.
         */
        bool bare;
        bool nullable; /* as an item of a list or map it may be null, which stands for an empty object */
};

/* Rows of a table. S is the struct, M its member; NM the member that counts a list. */
#define COR_FIELD(KEY, TYPE, S, M, FLAGS)                                                                              \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_##TYPE, .flags = (FLAGS), .offset = offsetof(S, M)                      \
        }
#define COR_FIELD_DEF(KEY, TYPE, S, M, DEF)                                                                            \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_##TYPE, .offset = offsetof(S, M), .def = (DEF)                          \
        }
#define COR_FIELD_WORD(KEY, S, M, WORDS, FLAGS)                                                                        \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_WORD, .flags = (FLAGS), .offset = offsetof(S, M), .words = (WORDS)      \
        }
#define COR_FIELD_OBJ(KEY, TYPE, S, M, DOC, FLAGS)                                                                     \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_##TYPE, .flags = (FLAGS), .offset = offsetof(S, M), .doc = (DOC)        \
        }
#define COR_FIELD_LIST(KEY, TYPE, S, M, NM, FLAGS)                                                                     \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_##TYPE, .flags = (FLAGS), .offset = offsetof(S, M),                     \
                .n_offset = offsetof(S, NM)                                                                            \
        }
#define COR_FIELD_ARRAY(KEY, TYPE, S, M, FLAGS)                                                                        \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_##TYPE, .flags = (FLAGS), .offset = offsetof(S, M),                     \
                .def = COR_COUNT(((S *)NULL)->M)                                                                       \
        }
#define COR_FIELD_LIST_OF(KEY, TYPE, S, M, NM, DOC, FLAGS)                                                             \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_##TYPE, .flags = (FLAGS), .offset = offsetof(S, M),                     \
                .n_offset = offsetof(S, NM), .doc = (DOC)                                                              \
        }
#define COR_FIELD_LIST_WORD(KEY, S, M, NM, WORDS, FLAGS)                                                               \
        {                                                                                                              \
                .key = (KEY), .type = COR_JSON_LIST_WORD, .flags = (FLAGS), .offset = offsetof(S, M),                  \
                .n_offset = offsetof(S, NM), .words = (WORDS)                                                          \
        }
#define COR_DOC(S, FIELDS, CHECK)                                                                                      \
        {                                                                                                              \
                .size = sizeof(S), .fields = (FIELDS), .n_fields = COR_COUNT(FIELDS), .check = (CHECK)                 \
        }

/**
 * cor_json_parse() - read a document
 * @doc:  its table
 * @text: @len bytes of UTF-8 JSON; need not be terminated
 * @what: names the document in errors ("config.json"), may be NULL
 * @ret:  the root object, a zeroed struct of doc->size filled from the text; cor_json_free()
 *
 * INVALID on a syntax error (line and column), a wrong type, a missing or out-of-range value: the message names the
 * place, e.g. `config.json: linux.resources.memory.limit: expected an integer, found a string`.
 */
int cor_json_parse(const struct cor_json_doc *doc, const char *text, size_t len, const char *what, void *ret,
                   struct cor_err *err) COR_MUST_CHECK;
/* cor_json_free() - end a parsed root object and all it points to; NULL is fine */
void cor_json_free(void *root);
static inline void cor_json_free_p(void *p)
{
        cor_json_free(*(void **)p);
}
#define auto_json COR_CLEANUP(cor_json_free_p)

/* cor_json_alloc() - @size zeroed bytes that live as long as @root (a parsed root object) */
void *cor_json_alloc(void *root, size_t size) __attribute__((returns_nonnull));
char *cor_json_strdup(void *root, const char *s);

/* Any pointer that is not NULL will do for the items of an empty list that is to be printed as [] (or {}). */
#define COR_JSON_NONE_YET ((void *)(uintptr_t)cor_json_none_yet)
extern const char cor_json_none_yet[8];

enum cor_json_style {
        COR_JSON_COMPACT,
        COR_JSON_TABS,
        COR_JSON_TWO_SPACES,
        COR_JSON_FOUR_SPACES,
        COR_JSON_API = 8, /* added to one of these: as docker's API has it, with <, > and & as they are, maps sorted */
};
/* cor_json_print() - append @object, described by @doc, to @out */
void cor_json_print(const struct cor_json_doc *doc, const void *object, enum cor_json_style style,
                    struct cor_text *out);

#endif
