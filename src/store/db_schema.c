/*
 * The schema. A version is a list of statements that leads there from the version before; PRAGMA user_version says
 * where a database stands. What has been released is never changed here, only added to.
 *
 *      image ──1:n── image_name     what it is called; a name leads to one image
 *        │
 *        ├─────1:n── image_blob     the blobs it needs, in the order index, manifest, config, layers, others
 *        └─────1:n── image_layer    its unpacked layers, lowest first
 *
 *      container ──1:1── container_document   what was asked for and what came of it: JSON, read for one container only
 *        ├─────────1:n── container_layer      the layers that it stands on, lowest first: kept as long as it is there
 *        ├─────────1:n── container_image      images that are mounted in it, with their layers: kept as well
 *        ├─────────1:n── id_range             ids of the host that are this container's alone, of users or of groups
 *        └─────────m:n── volume               by container_volume
 *
 *      network ──1:n── endpoint   containers that are connected now
 *                        ├─1:n── address        theirs, as bytes: 4 or 16
 *                        └─1:n── endpoint_name  what others of the network call them
 *
 *      lease ──1:n── lease_item     digests that may not be collected while the holder of the lease lives; it lives as
 *                                   long as byte `id` of the file `lock` is locked. Ids are never used twice
 *      state                        one row. `images` counts changes of images and names; `indexed` is the count that
 *                                   index.json shows
 *
 * Digests are text ("sha256:…"). An id is the digest of the config. Labels are "KEY=VALUE", each ended by a NUL. Times
 * of containers and volumes are nanoseconds since 1970. The number of a container names its locks, and is never used
 * twice.
 */
#include "store/db.h"

static const char version_1[] = "CREATE TABLE image ("
                                "  seq INTEGER PRIMARY KEY,"
                                "  id TEXT NOT NULL UNIQUE,"
                                "  manifest TEXT NOT NULL,"
                                "  architecture TEXT, os TEXT, variant TEXT,"
                                "  created INTEGER NOT NULL, pulled INTEGER NOT NULL, size INTEGER NOT NULL,"
                                "  labels BLOB);"
                                "CREATE TABLE image_name ("
                                "  name TEXT PRIMARY KEY,"
                                "  image INTEGER NOT NULL REFERENCES image ON DELETE CASCADE) WITHOUT ROWID;"
                                "CREATE INDEX image_name_image ON image_name (image);"
                                "CREATE TABLE image_blob ("
                                "  image INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,"
                                "  n INTEGER NOT NULL,"
                                "  digest TEXT NOT NULL, kind INTEGER NOT NULL, size INTEGER NOT NULL,"
                                "  media_type TEXT, optional INTEGER NOT NULL,"
                                "  PRIMARY KEY (image, n)) WITHOUT ROWID;"
                                "CREATE TABLE image_layer ("
                                "  image INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,"
                                "  n INTEGER NOT NULL,"
                                "  diff_id TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,"
                                "  PRIMARY KEY (image, n)) WITHOUT ROWID;"
                                "CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT);"
                                "CREATE TABLE lease_item ("
                                "  lease INTEGER NOT NULL REFERENCES lease ON DELETE CASCADE,"
                                "  digest TEXT NOT NULL,"
                                "  PRIMARY KEY (lease, digest)) WITHOUT ROWID;"
                                "CREATE TABLE state ("
                                "  one INTEGER PRIMARY KEY CHECK (one = 1),"
                                "  images INTEGER NOT NULL, indexed INTEGER NOT NULL);"
                                "INSERT INTO state VALUES (1, 0, 0);"
                                "PRAGMA user_version = 1;";

static const char version_2[] = "CREATE TABLE volume ("
                                "  name TEXT PRIMARY KEY,"
                                "  driver TEXT NOT NULL, options BLOB, labels BLOB,"
                                "  created INTEGER NOT NULL, anonymous INTEGER NOT NULL) WITHOUT ROWID;"
                                "CREATE TABLE container ("
                                "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
                                "  id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
                                "  image TEXT NOT NULL, image_id TEXT NOT NULL, created INTEGER NOT NULL,"
                                "  phase INTEGER NOT NULL, pid INTEGER NOT NULL, monitor_pid INTEGER NOT NULL,"
                                "  pid_start INTEGER NOT NULL, monitor_start INTEGER NOT NULL,"
                                "  started INTEGER NOT NULL, finished INTEGER NOT NULL, exit_code INTEGER NOT NULL,"
                                "  oom_killed INTEGER NOT NULL, stopped INTEGER NOT NULL, restarts INTEGER NOT NULL,"
                                "  health INTEGER NOT NULL, auto_remove INTEGER NOT NULL,"
                                "  error TEXT, command TEXT, ports TEXT, labels BLOB);"
                                "CREATE TABLE container_document ("
                                "  container INTEGER PRIMARY KEY REFERENCES container ON DELETE CASCADE,"
                                "  config TEXT NOT NULL, host_config TEXT NOT NULL, networking TEXT, endpoints TEXT,"
                                "  mounts TEXT);"
                                "CREATE TABLE container_layer ("
                                "  container INTEGER NOT NULL REFERENCES container ON DELETE CASCADE,"
                                "  n INTEGER NOT NULL, name TEXT NOT NULL,"
                                "  PRIMARY KEY (container, n)) WITHOUT ROWID;"
                                "CREATE TABLE container_volume ("
                                "  container INTEGER NOT NULL REFERENCES container ON DELETE CASCADE,"
                                "  volume TEXT NOT NULL REFERENCES volume,"
                                "  PRIMARY KEY (container, volume)) WITHOUT ROWID;"
                                "CREATE INDEX container_volume_volume ON container_volume (volume);"
                                "CREATE TABLE network_address ("
                                "  network TEXT NOT NULL, address INTEGER NOT NULL,"
                                "  container INTEGER NOT NULL REFERENCES container ON DELETE CASCADE,"
                                "  PRIMARY KEY (network, address)) WITHOUT ROWID;"
                                "CREATE INDEX network_address_container ON network_address (container);"
                                "PRAGMA user_version = 2;";

/* of two images that were made in the same second one may be the older */
static const char version_3[] = "ALTER TABLE image ADD COLUMN created_ns INTEGER NOT NULL DEFAULT 0;"
                                "PRAGMA user_version = 3;";

/* mounted images are kept; containers with user namespaces of their own. An image without layers has the layer "" */
static const char version_4[] = "CREATE TABLE container_image ("
                                "  container INTEGER NOT NULL REFERENCES container ON DELETE CASCADE,"
                                "  image TEXT NOT NULL, layer TEXT NOT NULL,"
                                "  PRIMARY KEY (container, image, layer)) WITHOUT ROWID;"
                                "CREATE TABLE id_range ("
                                "  container INTEGER NOT NULL REFERENCES container ON DELETE CASCADE,"
                                "  groups INTEGER NOT NULL, first INTEGER NOT NULL, size INTEGER NOT NULL,"
                                "  PRIMARY KEY (container, groups, first)) WITHOUT ROWID;"
                                "ALTER TABLE container_document ADD COLUMN id_map TEXT;"
                                "PRAGMA user_version = 4;";

/* ports of the host that are published; direct: the kernel forwards them */
static const char version_5[] = "CREATE TABLE port ("
                                "  protocol INTEGER NOT NULL, host_ip TEXT NOT NULL, host_port INTEGER NOT NULL,"
                                "  container INTEGER NOT NULL REFERENCES container ON DELETE CASCADE,"
                                "  container_ip TEXT NOT NULL, container_port INTEGER NOT NULL,"
                                "  direct INTEGER NOT NULL,"
                                "  PRIMARY KEY (protocol, host_port, host_ip)) WITHOUT ROWID;"
                                "CREATE INDEX port_container ON port (container);"
                                "PRAGMA user_version = 5;";

/* Networks as objects. The address of a container that runs is not taken along: there was one network. */
#define PREDEFINED(NAME, DRIVER, DOCUMENT)                                                                             \
        "INSERT INTO network (id, name, driver, created, document) VALUES (lower(hex(randomblob(32))), '" NAME         \
        "', '" DRIVER "', strftime('%s', 'now') * 1000000000, '" DOCUMENT "');"
static const char version_6[] =
        "DROP TABLE network_address;"
        "CREATE TABLE network ("
        "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
        "  id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,"
        "  driver TEXT NOT NULL, created INTEGER NOT NULL, document TEXT NOT NULL);"
        "CREATE TABLE endpoint ("
        "  network INTEGER NOT NULL REFERENCES network,"
        "  container INTEGER NOT NULL REFERENCES container ON DELETE CASCADE,"
        "  id TEXT NOT NULL, interface TEXT NOT NULL, host_interface TEXT, mac TEXT,"
        "  PRIMARY KEY (network, container)) WITHOUT ROWID;"
        "CREATE INDEX endpoint_container ON endpoint (container);"
        "CREATE TABLE address ("
        "  network INTEGER NOT NULL, address BLOB NOT NULL, bits INTEGER NOT NULL, container INTEGER NOT NULL,"
        "  PRIMARY KEY (network, address),"
        "  FOREIGN KEY (network, container) REFERENCES endpoint ON DELETE CASCADE) WITHOUT ROWID;"
        "CREATE INDEX address_endpoint ON address (network, container);"
        "CREATE TABLE endpoint_name ("
        "  network INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE, container INTEGER NOT NULL,"
        "  PRIMARY KEY (network, name, container),"
        "  FOREIGN KEY (network, container) REFERENCES endpoint ON DELETE CASCADE) WITHOUT ROWID;"
        "CREATE INDEX endpoint_name_endpoint ON endpoint_name (network, container);" PREDEFINED(
                "bridge", "bridge",
                "{\"EnableIPv4\":true,\"IPAM\":{\"Driver\":\"default\"},\"Options\":{"
                "\"com.docker.network.bridge.default_bridge\":\"true\","
                "\"com.docker.network.bridge.enable_icc\":\"true\","
                "\"com.docker.network.bridge.enable_ip_masquerade\":\"true\","
                "\"com.docker.network.bridge.host_binding_ipv4\":\"0.0.0.0\","
                "\"com.docker.network.bridge.name\":\"coracle0\","
                "\"com.docker.network.driver.mtu\":\"1500\"},\"Labels\":{}}")
                PREDEFINED("host", "host",
                           "{\"EnableIPv4\":true,\"IPAM\":{\"Driver\":\"default\"},\"Options\":{},\"Labels\":{}}")
                        PREDEFINED("none", "null",
                                   "{\"EnableIPv4\":true,\"IPAM\":{\"Driver\":\"default\"},\"Options\":{},\"Labels\":{}"
                                   "}") "PRAGMA user_version = 6;";

static const char *const versions[] = { version_1, version_2, version_3, version_4, version_5, version_6 };

const int db_version = COR_COUNT(versions);

int db_migrate(struct store_db *db, int from, struct cor_err *err)
{
        for (int i = from; i < db_version; i++)
                if (db_exec(db, versions[i], err) < 0)
                        return cor_wrap(err, "bring the database to version %d", i + 1);
        return 0;
}
