-- Allocators of chunks, the maps that keep chunks, the programs that move them, and what keeps an allocator alive.
-- Devices may be reserved. The CHECK constraints and the index of loaded programs are by hand.

CREATE TABLE "Reservation" (
    "number" BIGSERIAL NOT NULL,
    "deviceId" TEXT COLLATE "C" NOT NULL,
    "holder" TEXT COLLATE "C" NOT NULL,
    "createTime" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Reservation_pkey" PRIMARY KEY ("number"),
    CONSTRAINT "Reservation_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "Device" ("id") ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE UNIQUE INDEX "Reservation_deviceId_holder_key" ON "Reservation"("deviceId", "holder");

CREATE TABLE "Allocator" (
    "number" BIGSERIAL NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "state" TEXT NOT NULL,
    "deviceId" TEXT COLLATE "C",
    "offset" BIGINT NOT NULL,
    "chunkBytes" INTEGER NOT NULL,
    "capacity" INTEGER NOT NULL,
    "createTime" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Allocator_pkey" PRIMARY KEY ("number"),
    CONSTRAINT "Allocator_number_check" CHECK ("number" >= 1),
    CONSTRAINT "Allocator_state_check" CHECK ("state" IN ('CREATING', 'ACTIVE', 'DRAINING', 'DESTROYING')),
    CONSTRAINT "Allocator_chunkBytes_check" CHECK ("chunkBytes" > 0),
    CONSTRAINT "Allocator_capacity_check" CHECK ("capacity" > 0),
    CONSTRAINT "Allocator_offset_check" CHECK ("offset" >= 0 AND ("deviceId" IS NOT NULL OR "offset" = 0))
);
CREATE UNIQUE INDEX "Allocator_name_key" ON "Allocator"("name");
CREATE INDEX "Allocator_deviceId_idx" ON "Allocator"("deviceId");

CREATE TABLE "ChunkPage" (
    "allocatorNumber" BIGINT NOT NULL,
    "page" INTEGER NOT NULL,
    "generations" BYTEA NOT NULL,
    CONSTRAINT "ChunkPage_pkey" PRIMARY KEY ("allocatorNumber", "page"),
    CONSTRAINT "ChunkPage_allocatorNumber_fkey" FOREIGN KEY ("allocatorNumber") REFERENCES "Allocator" ("number") ON DELETE CASCADE ON UPDATE RESTRICT,
    CONSTRAINT "ChunkPage_page_check" CHECK ("page" >= 0)
);

CREATE TABLE "HandleMap" (
    "number" BIGSERIAL NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "entries" INTEGER NOT NULL,
    "createTime" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "HandleMap_pkey" PRIMARY KEY ("number"),
    CONSTRAINT "HandleMap_number_check" CHECK ("number" >= 1),
    CONSTRAINT "HandleMap_entries_check" CHECK ("entries" > 0)
);
CREATE UNIQUE INDEX "HandleMap_name_key" ON "HandleMap"("name");

CREATE TABLE "MapField" (
    "mapNumber" BIGINT NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "position" INTEGER NOT NULL,
    CONSTRAINT "MapField_pkey" PRIMARY KEY ("mapNumber", "name"),
    CONSTRAINT "MapField_mapNumber_fkey" FOREIGN KEY ("mapNumber") REFERENCES "HandleMap" ("number") ON DELETE CASCADE ON UPDATE RESTRICT
);

CREATE TABLE "MapValue" (
    "mapNumber" BIGINT NOT NULL,
    "field" TEXT COLLATE "C" NOT NULL,
    "entry" INTEGER NOT NULL,
    "allocatorNumber" BIGINT NOT NULL,
    "chunk" INTEGER NOT NULL,
    "generation" BIGINT NOT NULL,
    CONSTRAINT "MapValue_pkey" PRIMARY KEY ("mapNumber", "field", "entry"),
    CONSTRAINT "MapValue_mapNumber_fkey" FOREIGN KEY ("mapNumber") REFERENCES "HandleMap" ("number") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "MapValue_allocatorNumber_fkey" FOREIGN KEY ("allocatorNumber") REFERENCES "Allocator" ("number") ON DELETE RESTRICT ON UPDATE RESTRICT,
    -- Odd: the chunk is allocated.
    CONSTRAINT "MapValue_generation_check" CHECK ("generation" BETWEEN 1 AND 4294967295 AND "generation" % 2 = 1),
    CONSTRAINT "MapValue_entry_check" CHECK ("entry" >= 0),
    CONSTRAINT "MapValue_chunk_check" CHECK ("chunk" >= 0)
);
CREATE UNIQUE INDEX "MapValue_allocatorNumber_chunk_key" ON "MapValue"("allocatorNumber", "chunk");

CREATE TABLE "Program" (
    "number" BIGSERIAL NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "state" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "log" TEXT NOT NULL,
    "createTime" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Program_pkey" PRIMARY KEY ("number"),
    CONSTRAINT "Program_number_check" CHECK ("number" >= 1),
    CONSTRAINT "Program_state_check" CHECK ("state" IN ('LOADED', 'UNLOADED'))
);
CREATE INDEX "Program_name_idx" ON "Program"("name");

-- Of two programs of one name at most one is loaded.
CREATE UNIQUE INDEX "Program_loaded_key" ON "Program" ("name") WHERE "state" = 'LOADED';

CREATE TABLE "DependencyRow" (
    "number" BIGSERIAL NOT NULL,
    "programNumber" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "mapNumber" BIGINT NOT NULL,
    "field" TEXT COLLATE "C" NOT NULL,
    "otherMapNumber" BIGINT,
    "otherField" TEXT COLLATE "C",
    "allocatorNumber" BIGINT,
    "discardable" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "DependencyRow_pkey" PRIMARY KEY ("number"),
    CONSTRAINT "DependencyRow_programNumber_fkey" FOREIGN KEY ("programNumber") REFERENCES "Program" ("number") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "DependencyRow_allocatorNumber_fkey" FOREIGN KEY ("allocatorNumber") REFERENCES "Allocator" ("number") ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT "DependencyRow_kind_check" CHECK (
        "kind" IN ('S', 'E', 'U')
        AND ("kind" = 'S') = ("allocatorNumber" IS NOT NULL)
        AND ("kind" = 'E') = ("otherMapNumber" IS NOT NULL)
        AND ("kind" = 'E') = ("otherField" IS NOT NULL)
    )
);
CREATE INDEX "DependencyRow_programNumber_idx" ON "DependencyRow"("programNumber");
CREATE INDEX "DependencyRow_mapNumber_field_idx" ON "DependencyRow"("mapNumber", "field");
CREATE INDEX "DependencyRow_otherMapNumber_otherField_idx" ON "DependencyRow"("otherMapNumber", "otherField");
CREATE INDEX "DependencyRow_allocatorNumber_idx" ON "DependencyRow"("allocatorNumber");

CREATE TABLE "VerifierAudit" (
    "number" BIGSERIAL NOT NULL,
    "time" TIMESTAMP(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT COLLATE "C" NOT NULL,
    "event" TEXT NOT NULL,
    "detail" TEXT NOT NULL DEFAULT '{}',
    CONSTRAINT "VerifierAudit_pkey" PRIMARY KEY ("number")
);
