-- Exports say who may write to their device at once. The CHECK constraint is by hand.

ALTER TABLE "Export"
    ADD COLUMN "writers" TEXT NOT NULL DEFAULT 'ANY',
    ADD CONSTRAINT "Export_writers_check" CHECK ("writers" IN ('ANY', 'ONE_CLIENT', 'ONE_CONNECTION'));
