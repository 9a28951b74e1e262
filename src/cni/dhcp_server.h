#ifndef CORACLE_CNI_DHCP_SERVER_H
#define CORACLE_CNI_DHCP_SERVER_H
/*
 * The daemon of the plugin `dhcp` at work: who has connected, and the leases. One thread, one loop; what is slow (a
 * server) is waited for by the loop alone.
 */
#include "cni/dhcp_leases.h"

/*
 * dhcp_server_run() - serve who connects to @listener until a signal of @signals (a signalfd) comes. 0 then
 * @leases: opened; ended() and data become the server's
 */
int dhcp_server_run(struct dhcp_leases *leases, int listener, int signals, struct cor_err *err) COR_MUST_CHECK;

/* dhcp_daemon_main() - `dhcp daemon`: the words behind it; the exit status */
int dhcp_daemon_main(int argc, char **argv);

#endif
