/*
 * dhcp: addresses from a DHCP server, which a daemon asks and keeps (`dhcp daemon`, dhcp_daemon.c). The plugin itself
 * reads the configuration and hands the daemon a request; leases live longer than a call of a plugin.
 */
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cni/dhcp_request.h"
#include "cni/plugins.h"
#include "cni/space.h"

struct dhcp_asked {
        bool skip_default;
        const char *option;
};
struct dhcp_told {
        const char *option, *value, *argument;
};
struct dhcp_config {
        struct dhcp_ipam {
                const char *socket;
                struct dhcp_asked *asked;
                size_t n_asked;
                struct dhcp_told *told;
                size_t n_told;
                uint32_t priority;
        } * ipam;
};

static int check_option(const char *option, struct cor_err *err)
{
        if (dhcp_option_number(option) >= 0)
                return 0;
        return cor_fail(err, COR_INVALID, ".option: \"%.64s\" is no number from 1 to 254, and no name that is known",
                        option);
}

static int check_asked(void *object, struct cor_err *err)
{
        const struct dhcp_asked *a = object;

        return a->option && a->option[0] ? check_option(a->option, err) : 0;
}

static int check_told(void *object, struct cor_err *err)
{
        const struct dhcp_told *t = object;

        if (check_option(t->option, err) < 0)
                return -1;
        if (!dhcp_option_settable((uint32_t)dhcp_option_number(t->option)))
                return cor_fail(err, COR_INVALID, ".option: \"%s\" is for the protocol itself", t->option);
        if (t->value && strlen(t->value) > DHCP_VALUE_MAX_BYTES)
                return cor_fail(err, COR_INVALID, ".value: is longer than %d bytes", DHCP_VALUE_MAX_BYTES);
        return 0;
}

static const struct cor_json_field asked_fields[] = {
        COR_FIELD("skipDefault", BOOL, struct dhcp_asked, skip_default, 0),
        COR_FIELD("option", STR, struct dhcp_asked, option, 0),
};
static const struct cor_json_doc asked_doc = COR_DOC(struct dhcp_asked, asked_fields, check_asked);

static const struct cor_json_field told_fields[] = {
        COR_FIELD("option", STR, struct dhcp_told, option, COR_JSON_REQUIRED),
        COR_FIELD("value", STR, struct dhcp_told, value, 0),
        COR_FIELD("fromArg", STR, struct dhcp_told, argument, 0),
};
static const struct cor_json_doc told_doc = COR_DOC(struct dhcp_told, told_fields, check_told);

static const struct cor_json_field ipam_fields[] = {
        COR_FIELD("daemonSocketPath", STR, struct dhcp_ipam, socket, 0),
        COR_FIELD_LIST_OF("request", LIST_OBJ, struct dhcp_ipam, asked, n_asked, &asked_doc, 0),
        COR_FIELD_LIST_OF("provide", LIST_OBJ, struct dhcp_ipam, told, n_told, &told_doc, 0),
        COR_FIELD("priority", U32, struct dhcp_ipam, priority, 0),
};
static const struct cor_json_doc ipam_doc = COR_DOC(struct dhcp_ipam, ipam_fields, NULL);

static const struct cor_json_field fields[] = {
        COR_FIELD_OBJ("ipam", OBJ, struct dhcp_config, ipam, &ipam_doc, COR_JSON_REQUIRED),
};
static const struct cor_json_doc dhcp_doc = COR_DOC(struct dhcp_config, fields, NULL);

/* ------------------------------------------------------------------------------------------------------ the request */

static void ask_for(struct dhcp_request *q, uint32_t option)
{
        for (size_t i = 0; i < q->n_parameters; i++)
                if (q->parameters[i] == option)
                        return;
        q->parameters[q->n_parameters++] = option;
        if (option == DHCP_NAME_SERVERS || option == DHCP_DOMAIN_NAME || option == DHCP_DOMAIN_SEARCH)
                q->dns = true;
}

/* What is asked for: what the configuration says, and the defaults unless it says to skip them. */
static void take_asked(void *root, const struct dhcp_ipam *ipam, struct dhcp_request *q)
{
        bool defaults = true;

        q->parameters = cor_json_alloc(root, (ipam->n_asked + 2) * sizeof *q->parameters);
        for (size_t i = 0; i < ipam->n_asked; i++) {
                const struct dhcp_asked *a = &ipam->asked[i];

                defaults = defaults && !a->skip_default;
                if (a->option && a->option[0])
                        ask_for(q, (uint32_t)dhcp_option_number(a->option));
        }
        if (defaults) {
                ask_for(q, DHCP_ROUTERS);
                ask_for(q, DHCP_SUBNET_MASK);
        }
}

/* The value of @key in CNI_ARGS, of which there may be others; a copy, or NULL. */
static char *find_argument(const char *args, const char *key)
{
        auto_str text = cor_strdup(args);
        char *cursor = text;

        for (char *pair; (pair = cor_split_next(&cursor, ';'));) {
                char *value = strchr(pair, '=');

                if (!value)
                        continue;
                *value++ = '\0';
                if (strcmp(pair, key) == 0)
                        return cor_strdup(value);
        }
        return NULL;
}

/* An option that is told twice has its last value. */
static void tell(void *root, struct dhcp_request *q, uint32_t option, const char *value)
{
        auto_str hex = dhcp_hex((const uint8_t *)value, strlen(value));
        size_t i = 0;

        while (i < q->n_values && q->values[i].option != option)
                i++;
        q->values[i] = (struct dhcp_given){ option, cor_json_strdup(root, hex) };
        q->n_values += i == q->n_values;
}

static int take_told(struct cni_call *c, void *root, const struct dhcp_ipam *ipam, struct dhcp_request *q,
                     struct cor_err *err)
{
        q->values = cor_json_alloc(root, (ipam->n_told + 1) * sizeof *q->values);
        for (size_t i = 0; i < ipam->n_told; i++) {
                const struct dhcp_told *t = &ipam->told[i];
                auto_str argument = t->argument ? find_argument(c->args, t->argument) : NULL;

                if (argument && strlen(argument) > DHCP_VALUE_MAX_BYTES)
                        return cni_fail(c, CNI_CODE_ENVIRONMENT, err, "CNI_ARGS: %.64s: is longer than %d bytes",
                                        t->argument, DHCP_VALUE_MAX_BYTES);
                if (argument || (t->value && t->value[0]))
                        tell(root, q, (uint32_t)dhcp_option_number(t->option), argument ? argument : t->value);
        }
        return 0;
}

/* All that @ret points to belongs to *ret_config. */
static int prepare(struct cni_call *c, struct dhcp_config **ret_config, struct dhcp_request *ret, struct cor_err *err)
{
        auto_json struct dhcp_config *config = NULL;
        auto_str netns = NULL;

        if (cni_load(c, &dhcp_doc, &config, err) < 0)
                return -1;
        *ret = (struct dhcp_request){
                .verb = cni_verb_words[c->verb],
                .container_id = c->container_id,
                .network = c->config->name,
                .ifname = c->ifname,
                .netns = "",
                .priority = config->ipam->priority,
        };
        if (c->netns[0]) { /* the daemon may be in another folder */
                if (cor_path_absolute(c->netns, &netns, err) < 0)
                        return -1;
                ret->netns = cor_json_strdup(config, netns);
        }
        take_asked(config, config->ipam, ret);
        if (take_told(c, config, config->ipam, ret, err) < 0)
                return -1;
        if (!config->ipam->socket || !config->ipam->socket[0])
                config->ipam->socket = DHCP_SOCKET;
        *ret_config = COR_TAKE(config);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ verbs */

/* *ret_reached: an error is the daemon's */
static int ask(struct cni_call *c, const struct dhcp_config *config, const struct dhcp_request *q,
               struct dhcp_reply **ret, bool *ret_reached, struct cor_err *err)
{
        auto_json struct dhcp_reply *r = NULL;

        *ret_reached = false;
        if (dhcp_ask(config->ipam->socket, q, &r, err) < 0) {
                c->code = c->verb == CNI_STATUS ? CNI_CODE_UNAVAILABLE : CNI_CODE_TRY_AGAIN;
                return cor_wrap(err, "the DHCP daemon at %s (ipam.daemonSocketPath)", config->ipam->socket);
        }
        *ret_reached = true;
        if (r->code)
                return cni_fail(c, (enum cni_code)r->code, err, "%s", r->msg ? r->msg : "the daemon does not say why");
        *ret = COR_TAKE(r);
        return 0;
}

/* For the verbs whose only answer is that it is done. */
static int ask_plainly(struct cni_call *c, const struct dhcp_config *config, const struct dhcp_request *q,
                       bool *ret_reached, struct cor_err *err)
{
        auto_json struct dhcp_reply *r = NULL;

        return ask(c, config, q, &r, ret_reached, err);
}

int dhcp_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct dhcp_config *config = NULL;
        auto_json struct dhcp_reply *r = NULL;
        struct dhcp_request q;
        bool reached;

        if (prepare(c, &config, &q, err) < 0 || ask(c, config, &q, &r, &reached, err) < 0)
                return -1;
        if (!r || !r->result)
                return cor_fail(err, COR_INVALID, "the DHCP daemon at %s: an answer without a result",
                                config->ipam->socket);
        return cni_result_parse(CNI_1_1_0, r->result, strlen(r->result), "the daemon's result", ret, err);
}

/*
 * A lease ends by itself: that nobody can be told is no reason to keep a container (CNI 1.1.0, section 2, DEL). A
 * daemon that comes back finds no interface any more, and forgets the lease.
 */
int dhcp_del(struct cni_call *c, struct cor_err *err)
{
        auto_json struct dhcp_config *config = NULL;
        struct dhcp_request q;
        bool reached;

        if (prepare(c, &config, &q, err) < 0)
                return -1;
        if (ask_plainly(c, config, &q, &reached, err) < 0) {
                if (reached)
                        return -1;
                cor_warn("the lease is not released: %s", err->msg);
                cor_err_clear(err);
                c->code = 0;
        }
        return 0;
}

int dhcp_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct dhcp_config *config = NULL;
        auto_json struct cni_result *previous = NULL;
        struct dhcp_request q;
        bool reached;

        if (prepare(c, &config, &q, err) < 0 || cni_previous(c, &previous, err) < 0)
                return -1;
        q.addresses = cor_json_alloc(config, (previous->n_ips + 1) * sizeof *q.addresses);
        for (size_t i = 0; i < previous->n_ips; i++)
                q.addresses[q.n_addresses++] = previous->ips[i].address;
        return ask_plainly(c, config, &q, &reached, err);
}

int dhcp_status(struct cni_call *c, struct cor_err *err)
{
        auto_json struct dhcp_config *config = NULL;
        struct dhcp_request q;
        bool reached;

        return prepare(c, &config, &q, err) < 0 ? -1 : ask_plainly(c, config, &q, &reached, err);
}

int dhcp_gc(struct cni_call *c, struct cor_err *err)
{
        auto_json struct dhcp_config *config = NULL;
        struct dhcp_request q;
        bool reached;

        if (prepare(c, &config, &q, err) < 0)
                return -1;
        q.attachments = c->config->attachments;
        q.n_attachments = c->config->n_attachments;
        return ask_plainly(c, config, &q, &reached, err);
}
