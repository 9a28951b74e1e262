/*
 * The schema. A version is a list of statements that leads there from the version before; PRAGMA user_version says
 * where a database stands. What has been released is never changed here, only added to.
 *
 *      image ──1:n── image_name     what it is called; a name leads to one image
 *        │
 *        ├─────1:n── image_blob     the blobs it needs, in the order index, manifest, config, layers, others
 *        └─────1:n── image_layer    its unpacked layers, lowest first
 *
 *      lease ──1:n── lease_item     digests that may not be collected while the holder of the lease lives; it lives as
 *                                   long as byte `id` of the file `lock` is locked. Ids are never used twice
 *      state                        one row. `images` counts changes of images and names; `indexed` is the count that
 *                                   index.json shows
 *
 * Digests are text ("sha256:…"). An id is the digest of the config. Labels are "KEY=VALUE", each ended by a NUL.
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

static const char *const versions[] = { version_1 };

const int db_version = COR_COUNT(versions);

int db_migrate(struct store_db *db, int from, struct cor_err *err)
{
        for (int i = from; i < db_version; i++)
                if (db_exec(db, versions[i], err) < 0)
                        return cor_wrap(err, "bring the database to version %d", i + 1);
        return 0;
}
