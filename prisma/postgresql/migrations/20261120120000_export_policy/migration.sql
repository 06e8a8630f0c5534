-- Who may use an export, how it is shown, and what its requests are held to. Exports that exist stay as open as they
-- were. The CHECK constraints are by hand.

ALTER TABLE "Export"
    ADD COLUMN "hidden" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "tlsRequired" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "allowedClients" TEXT NOT NULL DEFAULT '',
    ADD COLUMN "connectionsMax" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "clientConnectionsMax" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "blockSizeMinimum" INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN "blockSizePreferred" INTEGER NOT NULL DEFAULT 4096,
    ADD COLUMN "payloadMaximum" INTEGER NOT NULL DEFAULT 33554432,
    ADD COLUMN "blockSizeRequired" BOOLEAN NOT NULL DEFAULT false,
    ADD CONSTRAINT "Export_connectionsMax_check" CHECK ("connectionsMax" >= 0),
    ADD CONSTRAINT "Export_clientConnectionsMax_check" CHECK ("clientConnectionsMax" >= 0),
    ADD CONSTRAINT "Export_blockSizeMinimum_check" CHECK ("blockSizeMinimum" BETWEEN 1 AND 65536),
    ADD CONSTRAINT "Export_blockSizePreferred_check" CHECK ("blockSizePreferred" >= 512 AND "blockSizePreferred" >= "blockSizeMinimum"),
    ADD CONSTRAINT "Export_payloadMaximum_check" CHECK ("payloadMaximum" >= "blockSizePreferred");
