-- A row of the dependency table has a key. Made anew: no service has written the table before. Its CHECK constraint is by hand.

DROP TABLE "DependencyRow";

CREATE TABLE "DependencyRow" (
    "number" BIGSERIAL NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
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
CREATE UNIQUE INDEX "DependencyRow_key_key" ON "DependencyRow"("key");
CREATE INDEX "DependencyRow_programNumber_idx" ON "DependencyRow"("programNumber");
CREATE INDEX "DependencyRow_mapNumber_field_idx" ON "DependencyRow"("mapNumber", "field");
CREATE INDEX "DependencyRow_otherMapNumber_otherField_idx" ON "DependencyRow"("otherMapNumber", "otherField");
CREATE INDEX "DependencyRow_allocatorNumber_idx" ON "DependencyRow"("allocatorNumber");
