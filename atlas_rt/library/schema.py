"""The tables of a library, as steps from an empty database to today's; a published step is never edited, only followed.

Paths are BLOBs, the file system's own bytes: on Linux a name need not be valid text. The path of an object in a bucket
is its address, `s3://bucket/key`.

images     state: found (has an id, not read yet), ready (has tiles, is shown), failed (see failures), away (its file
           vanished; the row waits, hidden, so that the same content gets its id back). present: 0 where the last scan
           did not find the file; with state ready its folder is absent, and it is shown all the same. away_secs: when
           it was first missed, since 1970; 0 where nobody noted it. size, mtime_ns, etag: of the file when it was last
           read well; etag of an object in a bucket, else empty. rgb: mean colour, 0xRRGGBB. tile: record in the tile
           files. incomplete: what its picture lacks.
vectors    row: in the model's vector file.
failures   stage: read, decode, encode or crash.
suspects   files the engine was reading when it died, and how often.
extras     sources dropped on the window.
absences   folders that the last scan could not look into or found empty (`absence`). state: missing, empty, unreadable
           or partly. images: known ones below it that were not found, shown all the same.
metadata   what the files tell of their pictures (`core.metadata`). reader: version of what read it; an older one's rows
           are read again. sidecars: the stamp of those that were read (`Sidecars.stamp`). keywords: a JSON list.
texts      what is searched as words (`text_index`), one row an image that is shown, by its id. Words as `core.words`
           splits them. texts_stale: images whose row there is not what it should be; triggers note them.
places     what is within reach of some image (`places`). words: of its name, to search by.
image_places  where an image was taken, for the GPS that stands there too; place and city empty where nothing is near.
readings   the text that stands in pictures (`readings`), as a version of our reader read it in a file of that hash.
devices    what tells the device of each source, and of each mount point in it, when what is known of it was there.
"""

from __future__ import annotations

STEPS = (
    """
    CREATE TABLE images (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        path BLOB NOT NULL,
        state TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        hash BLOB,
        width INTEGER,
        height INTEGER,
        rgb INTEGER,
        aspect REAL,
        tile INTEGER
    );
    CREATE UNIQUE INDEX images_by_path ON images (path) WHERE state != 'gone';
    CREATE INDEX images_by_hash ON images (hash);
    CREATE INDEX images_by_tile ON images (tile);
    CREATE TABLE vectors (
        model TEXT NOT NULL,
        image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
        row INTEGER NOT NULL,
        PRIMARY KEY (model, image_id)
    ) WITHOUT ROWID;
    CREATE INDEX vectors_by_row ON vectors (model, row);
    CREATE TABLE labels (
        model TEXT NOT NULL,
        image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
        word TEXT NOT NULL COLLATE NOCASE,
        confidence REAL NOT NULL,
        PRIMARY KEY (image_id, model, word)
    ) WITHOUT ROWID;
    CREATE INDEX labels_by_word ON labels (word, confidence);
    CREATE TABLE failures (
        path BLOB PRIMARY KEY,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        stage TEXT NOT NULL,
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE suspects (path BLOB PRIMARY KEY, crashes INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE extras (path BLOB PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE cluster_names (
        model TEXT NOT NULL,
        generation INTEGER NOT NULL,
        cluster INTEGER NOT NULL,
        name TEXT NOT NULL,
        named_by TEXT NOT NULL,
        PRIMARY KEY (model, generation, cluster)
    ) WITHOUT ROWID;
    """,
    # Files that an older program refused are decoded again: some are shown now, as far as they go.
    """
    ALTER TABLE images ADD COLUMN incomplete TEXT;
    CREATE INDEX images_incomplete ON images (path) WHERE incomplete IS NOT NULL;
    DELETE FROM failures WHERE stage = 'decode';
    """,
    """
    DROP INDEX images_by_path;
    ALTER TABLE images ADD COLUMN present INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE images ADD COLUMN away_secs REAL NOT NULL DEFAULT 0;
    UPDATE images SET state = 'away', present = 0 WHERE state = 'gone';
    CREATE UNIQUE INDEX images_by_path ON images (path) WHERE state != 'away';
    CREATE INDEX images_missed ON images (state) WHERE present = 0;
    CREATE TABLE absences (path BLOB PRIMARY KEY, state TEXT NOT NULL, images INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE devices (path BLOB PRIMARY KEY, device TEXT NOT NULL) WITHOUT ROWID;
    """,
    # names that a person gives are kept in the data folder (cluster_names.py); nothing was ever written to this table
    "DROP TABLE cluster_names",
    """
    CREATE TABLE metadata (
        image_id INTEGER PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
        reader INTEGER NOT NULL,
        sidecars INTEGER NOT NULL,
        taken TEXT NOT NULL,
        taken_secs REAL,
        taken_from TEXT NOT NULL,
        camera TEXT NOT NULL,
        lens TEXT NOT NULL,
        exposure_secs REAL,
        aperture REAL,
        iso INTEGER,
        focal_mm REAL,
        latitude REAL,
        longitude REAL,
        rating INTEGER,
        title TEXT NOT NULL,
        caption TEXT NOT NULL,
        keywords TEXT NOT NULL,
        software TEXT NOT NULL,
        prompt TEXT NOT NULL
    );
    CREATE INDEX metadata_with_sidecars ON metadata (image_id) WHERE sidecars != 0;
    """,
    # What a file is called and what was written about it, as words. The triggers let nobody who writes forget it.
    """
    CREATE VIRTUAL TABLE texts USING fts5 (
        name, folder, words, keywords, camera, lens, taken, hashes,
        tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M*'"
    );
    CREATE TABLE texts_stale (image_id INTEGER PRIMARY KEY);
    CREATE TRIGGER texts_image_changed AFTER UPDATE OF path, state ON images
        WHEN old.path != new.path OR old.state != new.state
        BEGIN INSERT OR IGNORE INTO texts_stale VALUES (new.id); END;
    CREATE TRIGGER texts_image_went AFTER DELETE ON images
        BEGIN INSERT OR IGNORE INTO texts_stale VALUES (old.id); END;
    CREATE TRIGGER texts_metadata_came AFTER INSERT ON metadata
        BEGIN INSERT OR IGNORE INTO texts_stale VALUES (new.image_id); END;
    CREATE TRIGGER texts_metadata_changed AFTER UPDATE ON metadata
        BEGIN INSERT OR IGNORE INTO texts_stale VALUES (new.image_id); END;
    CREATE TRIGGER texts_metadata_went AFTER DELETE ON metadata
        BEGIN INSERT OR IGNORE INTO texts_stale VALUES (old.image_id); END;
    INSERT INTO texts_stale SELECT id FROM images WHERE state = 'ready';
    """,
    # Places and the text that stands in pictures, both searched as words.
    """
    CREATE TABLE places (
        name TEXT NOT NULL,
        latitude REAL NOT NULL,
        longitude REAL NOT NULL,
        population INTEGER NOT NULL,
        words TEXT NOT NULL,
        PRIMARY KEY (name, latitude, longitude)
    ) WITHOUT ROWID;
    CREATE INDEX places_by_words ON places (words);
    CREATE TABLE image_places (
        image_id INTEGER PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
        latitude REAL NOT NULL,
        longitude REAL NOT NULL,
        place TEXT NOT NULL,
        city TEXT NOT NULL,
        words TEXT NOT NULL
    );
    CREATE TABLE readings (
        image_id INTEGER PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
        reader INTEGER NOT NULL,
        hash BLOB,
        text TEXT NOT NULL
    );
    CREATE TRIGGER texts_place_came AFTER INSERT ON image_places
        BEGIN INSERT OR IGNORE INTO texts_stale VALUES (new.image_id); END;
    CREATE TRIGGER texts_reading_came AFTER INSERT ON readings WHEN new.text != ''
        BEGIN INSERT OR IGNORE INTO texts_stale VALUES (new.image_id); END;
    DROP TABLE texts;
    CREATE VIRTUAL TABLE texts USING fts5 (
        name, folder, words, keywords, camera, lens, place, seen, taken, hashes,
        tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M*'"
    );
    INSERT OR IGNORE INTO texts_stale SELECT id FROM images WHERE state = 'ready';
    """,
    # Objects in a bucket, whose content is told by their ETag.
    """
    ALTER TABLE images ADD COLUMN etag TEXT NOT NULL DEFAULT '';
    ALTER TABLE failures ADD COLUMN etag TEXT NOT NULL DEFAULT '';
    """,
)
"""Step k brings a database of version k (SQLite's `user_version`) to k + 1."""
