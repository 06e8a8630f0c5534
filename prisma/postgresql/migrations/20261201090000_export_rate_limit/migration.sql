-- What all sessions of an export may take together. Exports that exist stay without a limit. The CHECK constraints are by
-- hand.

ALTER TABLE "Export"
    ADD COLUMN "iops" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "bytesPerSecond" BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN "burstMs" INTEGER NOT NULL DEFAULT 1000,
    ADD COLUMN "rateRevision" INTEGER NOT NULL DEFAULT 0,
    ADD CONSTRAINT "Export_iops_check" CHECK ("iops" >= 0),
    ADD CONSTRAINT "Export_bytesPerSecond_check" CHECK ("bytesPerSecond" >= 0),
    ADD CONSTRAINT "Export_burstMs_check" CHECK ("burstMs" > 0);
