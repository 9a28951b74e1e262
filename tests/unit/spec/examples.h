#ifndef CORACLE_TESTS_UNIT_SPEC_EXAMPLES_H
#define CORACLE_TESTS_UNIT_SPEC_EXAMPLES_H
/*
 * Documents that are right and documents that are wrong, as data. An example is the text that goes into the $ of a
 * frame, and the error it makes, or NULL. A right document must also survive printing: what was printed reads back to
 * the same, in each style.
 */
#include "../../printing.h"
#include "../json_quotes.h"
#include "spec/oci.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct example {
        const char *text;
        const char *error;
};

static inline void survives_printing(const struct cor_json_doc *doc, const void *object)
{
        auto_str fault = printing_fault(doc, object);

        if (fault)
                fail_msg("%s", fault);
}

static inline void check_example(const struct cor_json_doc *doc, const char *frame, const struct example *e)
{
        auto_str text = json_filled(frame, e->text);
        auto_json void *object = NULL;
        struct cor_err err = { 0 };
        int r = cor_json_parse(doc, text, strlen(text), "config.json", &object, &err);

        if (!e->error) {
                if (r < 0)
                        fail_msg("%s\nrefused: %s", e->text, err.msg);
                survives_printing(doc, object);
                return;
        }
        if (r >= 0)
                fail_msg("%s\naccepted; expected: %s", e->text, e->error);
        assert_int_equal(err.kind, COR_INVALID);
        assert_memory_equal(err.msg, "config.json: ", 13);
        assert_string_equal(err.msg + 13, e->error);
}

#define CHECK_EXAMPLES(DOC, FRAME, EXAMPLES)                                                                           \
        do {                                                                                                           \
                for (size_t i_ = 0; i_ < COR_COUNT(EXAMPLES); i_++)                                                    \
                        check_example((DOC), (FRAME), &(EXAMPLES)[i_]);                                                \
        } while (0)

/* Frames: what is around a member of the whole document, of `process`, of `linux` */
#define TOP_FRAME     "{'ociVersion':'1.3.0','root':{'path':'rootfs'},$}"
#define PROCESS_FRAME "{'cwd':'/','args':['sh'],$}"
#define LINUX_FRAME   "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'linux':{$}}"
/* with each namespace new */
#define NS_FRAME                                                                                                       \
        "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'linux':{'namespaces':[{'type':'pid'},{'type':'network'},"     \
        "{'type':'mount'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},{'type':'time'}],$}}"

#endif
