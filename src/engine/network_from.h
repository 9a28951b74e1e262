#ifndef CORACLE_ENGINE_NETWORK_FROM_H
#define CORACLE_ENGINE_NETWORK_FROM_H
/*
 * Networks that are only a configuration (--config-only): subnets, options and labels for others (--config-from), with
 * no interface, and with no claim to their subnets.
 */
#include "engine/network.h"

/* network_from_check() - a configuration may not say more than configurations can; in docker's words */
int network_from_check(const struct docker_network *asked, struct cor_err *err) COR_MUST_CHECK;
/*
 * network_from_take() - fill @asked with what the configuration says that it names; DENIED if it says something of that
 * itself. @ret: what it points into then; cor_json_free()
 */
int network_from_take(struct engine *e, struct docker_network *asked, struct docker_network **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* network_from_unused() - DENIED if @row is the configuration of another network */
int network_from_unused(struct engine *e, const struct network_row *row, struct cor_err *err) COR_MUST_CHECK;

#endif
