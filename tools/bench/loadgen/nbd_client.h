/* Connecting to an NBD server and choosing an export: everything before the first request. */
#ifndef HOLDFAST_BENCH_NBD_CLIENT_H
#define HOLDFAST_BENCH_NBD_CLIENT_H

#include <endian.h>
#include <stdint.h>

/* Transmission headers, as the specification's "Transmission phase" orders them. Integers are big-endian on the
 * wire. */

#define NBD_REQUEST_MAGIC 0x25609513u
#define NBD_SIMPLE_REPLY_MAGIC 0x67446698u

enum nbd_command { NBD_CMD_READ = 0, NBD_CMD_WRITE = 1, NBD_CMD_DISC = 2 };

struct nbd_request {
    uint32_t magic;
    uint16_t flags;
    uint16_t command;
    uint64_t cookie;
    uint64_t offset;
    uint32_t length;
} __attribute__((packed));
_Static_assert(sizeof(struct nbd_request) == 28, "a compact request is 28 bytes");

struct nbd_simple_reply {
    uint32_t magic;
    uint32_t error;
    uint64_t cookie;
} __attribute__((packed));
_Static_assert(sizeof(struct nbd_simple_reply) == 16, "a simple reply is 16 bytes");

#define NBD_STRUCTURED_REPLY_MAGIC 0x668e33efu

enum { NBD_REPLY_FLAG_DONE = 1 };
enum { NBD_REPLY_TYPE_OFFSET_DATA = 1, NBD_REPLY_TYPE_OFFSET_HOLE = 2, NBD_REPLY_TYPE_ERROR_BIT = 1 << 15 };

/* The header of one chunk; the cookie is where a simple reply has it. */
struct nbd_chunk {
    uint32_t magic;
    uint16_t flags;
    uint16_t type;
    uint64_t cookie;
    uint32_t length;
} __attribute__((packed));
_Static_assert(sizeof(struct nbd_chunk) == 20, "a chunk header is 20 bytes");

/* Where a server listens. Exactly one of `socket_path` and `host` is set. */
struct nbd_address {
    const char *socket_path;
    const char *host;
    const char *port;
};

/* What the server said about the export. */
struct nbd_export {
    uint64_t size_bytes;
    uint32_t block_bytes_min;   /* 1 where the server names none */
    uint32_t payload_bytes_max; /* 32 MiB where the server names none */
    int read_only;
    int structured; /* READs are answered in chunks */
};

/* How READs are to be answered. */
enum nbd_replies { NBD_REPLIES_SIMPLE, NBD_REPLIES_STRUCTURED, NBD_REPLIES_OFFERED /* structured where it can */ };

/* Both end the process with a sentence on stderr when they cannot do their work. */
int nbd_connect(const struct nbd_address *address);
struct nbd_export nbd_negotiate(int fd, const char *export_name, enum nbd_replies replies);

/* Says goodbye and closes. The server may be gone already: that is no error. */
void nbd_disconnect(int fd);

/* Prints "loadgen: …" and exits with 1: a load generator has nothing to save. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
