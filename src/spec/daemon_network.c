#include "spec/daemon_network.h"

static const struct cor_json_field pool_fields[] = {
        COR_FIELD("base", STR, struct daemon_pool, base, COR_JSON_REQUIRED),
        COR_FIELD("size", U32, struct daemon_pool, size, COR_JSON_REQUIRED),
};
static const struct cor_json_doc pool_doc = COR_DOC(struct daemon_pool, pool_fields, NULL);

static const struct cor_json_field option_fields[] = {
        COR_FIELD_LIST("", MAP_STR, struct daemon_driver_options, items, n_items, 0),
};
static const struct cor_json_doc options_doc = { .size = sizeof(struct daemon_driver_options),
                                                 .fields = option_fields,
                                                 .n_fields = COR_COUNT(option_fields),
                                                 .bare = true };

#define C struct daemon_network
#define DEFAULT_NETWORK                                                                                                \
        COR_FIELD_LIST_OF("default-address-pools", LIST_OBJ, C, pools, n_pools, &pool_doc, 0),                         \
                COR_FIELD("bip", STR, C, bip, 0), COR_FIELD("bip6", STR, C, bip6, 0),                                  \
                COR_FIELD("fixed-cidr", STR, C, fixed_cidr, 0), COR_FIELD("fixed-cidr-v6", STR, C, fixed_cidr6, 0),    \
                COR_FIELD("default-gateway", STR, C, gateway, 0),                                                      \
                COR_FIELD("default-gateway-v6", STR, C, gateway6, 0), COR_FIELD("ip", STR, C, host_ip, 0),             \
                COR_FIELD("mtu", U32, C, mtu, 0), COR_FIELD_DEF("icc", BOOL, C, icc, true),                            \
                COR_FIELD_DEF("ip-masq", BOOL, C, masquerade, true), COR_FIELD("ipv6", BOOL, C, ipv6, 0)
static const struct cor_json_field default_fields[] = { DEFAULT_NETWORK };
static const struct cor_json_field fields[] = {
        DEFAULT_NETWORK,
        COR_FIELD_LIST_OF("default-network-opts", MAP_OBJ, C, options, n_options, &options_doc, 0),
};
#undef C
const struct cor_json_doc daemon_network_doc = COR_DOC(struct daemon_network, fields, NULL);
const struct cor_json_doc daemon_default_network_doc = COR_DOC(struct daemon_network, default_fields, NULL);
