#include "spec/docker_network.h"

#define C struct docker_ipam_pool
static const struct cor_json_field pool_fields[] = {
        COR_FIELD("Subnet", STR, C, subnet, 0),
        COR_FIELD("IPRange", STR, C, ip_range, 0),
        COR_FIELD("Gateway", STR, C, gateway, 0),
        COR_FIELD_LIST("AuxiliaryAddresses", MAP_STR, C, auxiliary, n_auxiliary, 0),
};
#undef C
static const struct cor_json_doc pool_doc = { .size = sizeof(struct docker_ipam_pool),
                                              .fields = pool_fields,
                                              .n_fields = COR_COUNT(pool_fields),
                                              .nullable = true };

#define C struct docker_ipam
static const struct cor_json_field ipam_fields[] = {
        COR_FIELD("Driver", STR, C, driver, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Options", MAP_STR, C, options, n_options, COR_JSON_NULL),
        COR_FIELD_LIST_OF("Config", LIST_OBJ, C, config, n_config, &pool_doc, COR_JSON_NULL),
};
#undef C
static const struct cor_json_doc ipam_doc = COR_DOC(struct docker_ipam, ipam_fields, NULL);

#define C struct docker_config_from
static const struct cor_json_field from_fields[] = {
        COR_FIELD("Network", STR, C, network, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc from_doc = COR_DOC(struct docker_config_from, from_fields, NULL);

#define C struct docker_network_container
static const struct cor_json_field container_fields[] = {
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
        COR_FIELD("EndpointID", STR, C, endpoint_id, COR_JSON_ALWAYS),
        COR_FIELD("MacAddress", STR, C, mac_address, COR_JSON_ALWAYS),
        COR_FIELD("IPv4Address", STR, C, ipv4_address, COR_JSON_ALWAYS),
        COR_FIELD("IPv6Address", STR, C, ipv6_address, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc container_doc = COR_DOC(struct docker_network_container, container_fields, NULL);

#define C struct docker_network
static const struct cor_json_field network_fields[] = {
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
        COR_FIELD("Id", STR, C, id, COR_JSON_ALWAYS),
        COR_FIELD("Created", STR, C, created, COR_JSON_ALWAYS),
        COR_FIELD("Scope", STR, C, scope, COR_JSON_ALWAYS),
        COR_FIELD("Driver", STR, C, driver, COR_JSON_ALWAYS),
        COR_FIELD("EnableIPv4", BOOL, C, enable_ipv4, COR_JSON_ALWAYS),
        COR_FIELD("EnableIPv6", BOOL, C, enable_ipv6, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("IPAM", INLINE, C, ipam, &ipam_doc, COR_JSON_ALWAYS),
        COR_FIELD("Internal", BOOL, C, internal, COR_JSON_ALWAYS),
        COR_FIELD("Attachable", BOOL, C, attachable, COR_JSON_ALWAYS),
        COR_FIELD("Ingress", BOOL, C, ingress, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("ConfigFrom", INLINE, C, config_from, &from_doc, COR_JSON_ALWAYS),
        COR_FIELD("ConfigOnly", BOOL, C, config_only, COR_JSON_ALWAYS),
        COR_FIELD("AutomaticSubnet", BOOL, C, automatic, 0),
        COR_FIELD("Configured", STR, C, configured, 0),
        COR_FIELD("ForeignBridge", BOOL, C, foreign_bridge, 0),
        COR_FIELD_LIST("ForeignAddresses", LIST_STR, C, foreign_addresses, n_foreign_addresses, 0),
        COR_FIELD_LIST_OF("Containers", MAP_OBJ, C, containers, n_containers, &container_doc, COR_JSON_NULL),
        COR_FIELD_LIST("Options", MAP_STR, C, options, n_options, COR_JSON_NULL),
        COR_FIELD_LIST("Labels", MAP_STR, C, labels, n_labels, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_network_doc = COR_DOC(struct docker_network, network_fields, NULL);
