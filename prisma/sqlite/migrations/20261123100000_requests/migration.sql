-- Requests that come with an id may be repeated.

CREATE TABLE "Request" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "fingerprint" TEXT NOT NULL,
    "effect" TEXT,
    "attachmentId" TEXT,
    "response" TEXT,
    "createTime" DATETIME NOT NULL
);
CREATE INDEX "Request_createTime_idx" ON "Request"("createTime");
