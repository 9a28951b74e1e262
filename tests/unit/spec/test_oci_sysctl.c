#include "examples.h"

#define SYSCTL_FRAME(NAMESPACES)                                                                                       \
        "{'ociVersion':'1.3.0','root':{'path':'r'},'linux':{'namespaces':[" NAMESPACES "],'sysctl':{'$':'1'}}}"
#define AT(KEY, WHAT)                                                                                                  \
        {                                                                                                              \
                KEY, "linux.sysctl[\"" KEY "\"]: " WHAT                                                                \
        }
#define ALLOWED(KEY)                                                                                                   \
        {                                                                                                              \
                KEY, NULL                                                                                              \
        }

static void in_namespaces_of_their_own_sysctls_are_allowed(void **state)
{
        static const struct example ipc[] = {
                ALLOWED("kernel.msgmax"), ALLOWED("kernel.msgmnb"),          ALLOWED("kernel.msgmni"),
                ALLOWED("kernel.sem"),    ALLOWED("kernel.shmall"),          ALLOWED("kernel.shmmax"),
                ALLOWED("kernel.shmmni"), ALLOWED("kernel.shm_rmid_forced"), ALLOWED("fs.mqueue.msg_max"),
                ALLOWED("kernel/sem"),    ALLOWED("fs/mqueue/queues_max"),
        };
        static const struct example net[] = {
                ALLOWED("net.ipv4.ip_forward"),
                ALLOWED("net/ipv4/ip_forward"),
                ALLOWED("net/ipv4/conf/eth0.1/forwarding"),
                ALLOWED("net.ipv4.conf.eth0/1.forwarding"),
        };
        static const struct example uts[] = { ALLOWED("kernel.domainname") };
        static const struct example user[] = { ALLOWED("user.max_user_namespaces") };

        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME("{'type':'ipc'}"), ipc);
        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME("{'type':'network'}"), net);
        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME("{'type':'network','path':'/run/netns/a'}"), net);
        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME("{'type':'uts'}"), uts);
        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME("{'type':'user','path':'/proc/9/ns/user'}"), user);
}

static void without_them_sysctls_are_refused(void **state)
{
        static const struct example examples[] = {
                AT("kernel.sem", "needs a namespace of type ipc in linux.namespaces"),
                AT("fs.mqueue.msg_max", "needs a namespace of type ipc in linux.namespaces"),
                AT("net.core.somaxconn", "needs a namespace of type network in linux.namespaces"),
                AT("net/core/somaxconn", "needs a namespace of type network in linux.namespaces"),
                AT("kernel.domainname", "needs a namespace of type uts in linux.namespaces"),
                AT("user.max_pid_namespaces", "needs a namespace of type user in linux.namespaces"),
        };

        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME("{'type':'pid'}"), examples);
}

#define EVERY_NS                                                                                                       \
        "{'type':'ipc'},{'type':'network'},{'type':'uts'},{'type':'pid'},{'type':'mount'},{'type':'user','path':'/u'}"

static void what_belongs_to_the_host_is_refused(void **state)
{
        static const struct example examples[] = {
                AT("kernel.core_pattern", "not allowed: it would be set for the whole host"),
                AT("kernel.shmmax_", "not allowed: it would be set for the whole host"),
                AT("kernel.shmmax.x", "not allowed: it would be set for the whole host"),
                AT("vm.overcommit_memory", "not allowed: it would be set for the whole host"),
                AT("fs.file-max", "not allowed: it would be set for the whole host"),
                AT("fs.mqueue", "not allowed: it would be set for the whole host"),
                AT("network.x", "not allowed: it would be set for the whole host"),
                AT("net", "not allowed: it would be set for the whole host"),
                AT("kernel.hostname", "not allowed here: use the field \"hostname\""),
                AT("kernel/hostname", "not allowed here: use the field \"hostname\""),
        };

        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME(EVERY_NS), examples);
}

static void no_key_leaves_its_folder(void **state)
{
        static const struct example examples[] = {
                AT("net/../kernel/core_pattern", "expected the name of a file below /proc/sys"),
                AT("net.//.kernel.core_pattern", "expected the name of a file below /proc/sys"),
                AT("net/./x", "expected the name of a file below /proc/sys"),
                AT("net//x", "expected the name of a file below /proc/sys"),
                AT("net..x", "expected the name of a file below /proc/sys"),
                AT("/net/x", "expected the name of a file below /proc/sys"),
                AT("net/x/", "expected the name of a file below /proc/sys"),
                AT("net.x.", "expected the name of a file below /proc/sys"),
                AT("", "expected the name of a file below /proc/sys"),
                AT("/", "expected the name of a file below /proc/sys"),
                AT("..", "expected the name of a file below /proc/sys"),
        };

        CHECK_EXAMPLES(&oci_config_doc, SYSCTL_FRAME(EVERY_NS), examples);
}

static void a_key_of_any_length_is_no_problem(void **state)
{
        auto_text t = COR_TEXT_INIT;
        struct oci_config *c = NULL;
        struct cor_err err = { 0 };
        auto_str text = NULL;

        cor_text_add(&t, "net.");
        for (int i = 0; i < 100000; i++)
                cor_text_add_c(&t, 'a');
        text = json_filled(SYSCTL_FRAME(EVERY_NS), t.s);
        assert_int_equal(oci_config_parse(text, strlen(text), "config.json", &c, &err), -1);
        assert_non_null(strstr(err.msg, "expected the name of a file below /proc/sys"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(in_namespaces_of_their_own_sysctls_are_allowed),
                cmocka_unit_test(without_them_sysctls_are_refused),
                cmocka_unit_test(what_belongs_to_the_host_is_refused),
                cmocka_unit_test(no_key_leaves_its_folder),
                cmocka_unit_test(a_key_of_any_length_is_no_problem),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
