-- Requests that come with an id may be repeated.

CREATE TABLE "Request" (
    "id" TEXT COLLATE "C" NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "effect" TEXT,
    "attachmentId" TEXT,
    "response" TEXT,
    "createTime" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Request_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "Request_createTime_idx" ON "Request"("createTime");
