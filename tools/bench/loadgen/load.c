/* Keeps CPU per request low by batching: all free slots go out in one sendmsg, replies come in by one large recv
 * and are parsed in one pass. Payloads are copied by the socket into one scratch buffer and never looked at. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

/* Over TCP a smaller one acknowledges too often: 64 KiB reads cost twice the CPU with 256 KiB. A larger one misses
 * the L2 cache. */
#define SCRATCH_BYTES (1u << 20)

/* IOV_MAX is 1024 and a write takes two entries. */
#define BATCH_REQUESTS_MAX 256u

/* A server that is silent for this long is broken, not slow. */
#define SILENCE_MS_MAX 30000

/* One request in flight. The cookie carries the slot in its low 16 bits and a running number above. */
struct slot {
    uint64_t cookie; /* 0: free */
    uint64_t sent_at;
    enum nbd_command command;
};

struct connection {
    int fd;
    struct slot *slots;
    uint16_t *free_slots;
    uint32_t free_count;
    /* The batch being sent; nothing new is built before all of it is out. */
    struct nbd_request headers[BATCH_REQUESTS_MAX];
    struct iovec parts[2 * BATCH_REQUESTS_MAX];
    uint32_t part, part_count;
    /* The reply being received: what is there of its header, then how much payload is still to come. */
    unsigned char header[sizeof(struct nbd_chunk)];
    uint32_t header_bytes;
    uint64_t payload_bytes;
};

struct load {
    const struct load_plan *plan;
    struct load_result *result;
    struct connection *connections;
    unsigned connection_count;
    uint64_t random, next_block, block_count;
    uint64_t issued, started_at, now;
    int stopping;
    char *scratch;
    char *payload;
};

static uint64_t clock_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void *allocate(size_t count, size_t bytes) {
    void *memory = calloc(count, bytes);
    if (memory == NULL) die("out of memory");
    return memory;
}

/* xorshift64*: https://doi.org/10.18637/jss.v008.i14; state must not be zero. */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

static uint64_t next_offset(struct load *load) {
    uint64_t block;
    if (load->plan->sequential) {
        block = load->next_block++;
        if (load->next_block == load->block_count) load->next_block = 0;
    } else {
        block = next_random(&load->random) % load->block_count;
    }
    return block * load->plan->block_bytes;
}

static enum nbd_command next_command(struct load *load) {
    unsigned percent = load->plan->read_percent;
    if (percent == 0 || percent == 100) return percent == 0 ? NBD_CMD_WRITE : NBD_CMD_READ;
    return next_random(&load->random) % 100 < percent ? NBD_CMD_READ : NBD_CMD_WRITE;
}

/* Adds the header of request `index` to what is sent. It lies behind the one before: without a payload between them
 * the two are one part. */
static void add_header(struct connection *connection, uint32_t index) {
    struct nbd_request *header = &connection->headers[index];
    if (connection->part_count > 0) {
        struct iovec *last = &connection->parts[connection->part_count - 1];
        if ((char *)last->iov_base + last->iov_len == (char *)header) {
            last->iov_len += sizeof *header;
            return;
        }
    }
    connection->parts[connection->part_count++] = (struct iovec){header, sizeof *header};
}

/* Turns every free slot into a request of the next batch. */
static void build_batch(struct load *load, struct connection *connection) {
    const struct load_plan *plan = load->plan;
    uint64_t left = plan->requests_max - load->issued;
    uint32_t count = connection->free_count;
    if (count > BATCH_REQUESTS_MAX) count = BATCH_REQUESTS_MAX;
    if (count > left) count = (uint32_t)left;
    load->now = clock_ns();
    connection->part = connection->part_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t index = connection->free_slots[--connection->free_count];
        struct slot *slot = &connection->slots[index];
        slot->cookie = ++load->issued << 16 | index;
        slot->sent_at = load->now;
        slot->command = next_command(load);
        connection->headers[i] = (struct nbd_request){
            .magic = htobe32(NBD_REQUEST_MAGIC),
            .command = htobe16((uint16_t)slot->command),
            .cookie = slot->cookie, /* opaque to the server, so in our byte order */
            .offset = htobe64(next_offset(load)),
            .length = htobe32(plan->block_bytes),
        };
        add_header(connection, i);
        if (slot->command == NBD_CMD_WRITE)
            connection->parts[connection->part_count++] = (struct iovec){load->payload, plan->block_bytes};
    }
}

static int sending(const struct connection *connection) {
    return connection->part < connection->part_count;
}

/* Sends what the socket takes now. */
static void send_batch(struct connection *connection) {
    while (sending(connection)) {
        struct msghdr message = {.msg_iov = &connection->parts[connection->part],
                                 .msg_iovlen = connection->part_count - connection->part};
        ssize_t sent = sendmsg(connection->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) die("sending requests: %s", strerror(errno));
        while (sent > 0) {
            struct iovec *part = &connection->parts[connection->part];
            size_t taken = (size_t)sent < part->iov_len ? (size_t)sent : part->iov_len;
            part->iov_base = (char *)part->iov_base + taken;
            part->iov_len -= taken;
            sent -= (ssize_t)taken;
            if (part->iov_len == 0) connection->part++;
        }
    }
}

static void refill(struct load *load, struct connection *connection) {
    send_batch(connection);
    if (sending(connection) || load->stopping || connection->free_count == 0) return;
    build_batch(load, connection);
    send_batch(connection);
}

/* Checks the cookie. Returns its slot. */
static uint16_t slot_of(const struct load *load, const struct connection *connection, uint64_t cookie) {
    uint16_t index = cookie & 0xffff;
    if (index >= load->plan->depth || cookie == 0 || connection->slots[index].cookie != cookie)
        die("a reply with a cookie that is not outstanding: 0x%016llx", (unsigned long long)cookie);
    return index;
}

static void finish(struct load *load, struct connection *connection, uint16_t index) {
    histogram_add(&load->result->latency, load->now - connection->slots[index].sent_at);
    connection->slots[index].cookie = 0;
    connection->free_slots[connection->free_count++] = index;
    load->result->requests++;
}

static void take_simple(struct load *load, struct connection *connection, const unsigned char *bytes) {
    struct nbd_simple_reply reply;
    memcpy(&reply, bytes, sizeof reply);
    uint16_t index = slot_of(load, connection, reply.cookie);
    if (reply.error != 0) die("a reply with NBD error %u", be32toh(reply.error));
    int is_read = connection->slots[index].command == NBD_CMD_READ;
    if (is_read && load->plan->structured) die("a READ was answered by a simple reply");
    connection->payload_bytes = is_read ? load->plan->block_bytes : 0;
    finish(load, connection, index);
}

static void take_chunk(struct load *load, struct connection *connection, const unsigned char *bytes) {
    struct nbd_chunk chunk;
    memcpy(&chunk, bytes, sizeof chunk);
    uint16_t index = slot_of(load, connection, chunk.cookie);
    if (be16toh(chunk.type) & NBD_REPLY_TYPE_ERROR_BIT) die("a chunk of type 0x%04x", be16toh(chunk.type));
    connection->payload_bytes = be32toh(chunk.length);
    if (be16toh(chunk.flags) & NBD_REPLY_FLAG_DONE) finish(load, connection, index);
}

/* How long the header is that begins so; as long as its magic is not whole, as long as that. */
static size_t header_size(const struct load *load, const unsigned char *bytes, size_t there) {
    uint32_t magic;
    if (there < sizeof magic) return sizeof magic;
    memcpy(&magic, bytes, sizeof magic);
    if (be32toh(magic) == NBD_SIMPLE_REPLY_MAGIC) return sizeof(struct nbd_simple_reply);
    if (be32toh(magic) == NBD_STRUCTURED_REPLY_MAGIC && load->plan->structured) return sizeof(struct nbd_chunk);
    die("a reply with magic 0x%08x", be32toh(magic));
}

static void take_header(struct load *load, struct connection *connection, const unsigned char *bytes, size_t size) {
    if (size == sizeof(struct nbd_simple_reply)) take_simple(load, connection, bytes);
    else take_chunk(load, connection, bytes);
}

/* One pass over what came. A header that is split between two receives is put together in `header`. */
static void parse(struct load *load, struct connection *connection, const unsigned char *at, size_t length) {
    const unsigned char *end = at + length;
    while (at < end) {
        size_t there = (size_t)(end - at);
        if (connection->payload_bytes > 0) {
            size_t skipped = there < connection->payload_bytes ? there : connection->payload_bytes;
            connection->payload_bytes -= skipped;
            at += skipped;
            continue;
        }
        if (connection->header_bytes == 0 && there >= sizeof(struct nbd_chunk)) {
            size_t size = header_size(load, at, there);
            take_header(load, connection, at, size);
            at += size;
            continue;
        }
        size_t size = header_size(load, connection->header, connection->header_bytes);
        size_t missing = size - connection->header_bytes;
        size_t taken = there < missing ? there : missing;
        memcpy(connection->header + connection->header_bytes, at, taken);
        connection->header_bytes += (uint32_t)taken;
        at += taken;
        if (header_size(load, connection->header, connection->header_bytes) > connection->header_bytes) continue;
        connection->header_bytes = 0;
        take_header(load, connection, connection->header, size);
    }
}

/* Returns whether anything came. */
static int receive(struct load *load, struct connection *connection, int flags) {
    ssize_t received = recv(connection->fd, load->scratch, SCRATCH_BYTES, flags);
    if (received < 0 && (errno == EINTR || (errno == EAGAIN && (flags & MSG_DONTWAIT)))) return 0;
    if (received < 0 && errno == EAGAIN) die("no reply for %d s", SILENCE_MS_MAX / 1000);
    if (received < 0) die("receiving replies: %s", strerror(errno));
    if (received == 0) die("the server closed the connection");
    load->now = clock_ns();
    parse(load, connection, (const unsigned char *)load->scratch, (size_t)received);
    return 1;
}

/* A write may be answered before the last of its payload is sent, so that counts too. */
static int idle(const struct load *load, const struct connection *connection) {
    int answered = connection->free_count == load->plan->depth && connection->payload_bytes == 0;
    return answered && !sending(connection);
}

/* One connection with nothing left to send waits in recv itself: that saves the poll. */
static void wait_for_one(struct load *load, struct connection *connection) {
    if (!sending(connection)) {
        receive(load, connection, 0);
        return;
    }
    struct pollfd waiting = {.fd = connection->fd, .events = POLLIN | POLLOUT};
    int ready = poll(&waiting, 1, SILENCE_MS_MAX);
    if (ready == 0) die("no reply for %d s", SILENCE_MS_MAX / 1000);
    if (waiting.revents & ~POLLOUT) receive(load, connection, MSG_DONTWAIT);
}

static void wait_for_any(struct load *load, struct pollfd *waiting) {
    for (unsigned i = 0; i < load->connection_count; i++) {
        struct connection *connection = &load->connections[i];
        waiting[i].fd = idle(load, connection) ? -1 : connection->fd;
        waiting[i].events = (short)(POLLIN | (sending(connection) ? POLLOUT : 0));
    }
    int ready = poll(waiting, load->connection_count, SILENCE_MS_MAX);
    if (ready == 0) die("no reply for %d s", SILENCE_MS_MAX / 1000);
    if (ready < 0 && errno != EINTR) die("poll: %s", strerror(errno));
    for (unsigned i = 0; ready > 0 && i < load->connection_count; i++) {
        if (waiting[i].revents & ~POLLOUT) receive(load, &load->connections[i], MSG_DONTWAIT);
    }
}

static int all_idle(const struct load *load) {
    for (unsigned i = 0; i < load->connection_count; i++)
        if (!idle(load, &load->connections[i])) return 0;
    return 1;
}

static void run(struct load *load) {
    struct pollfd *waiting = allocate(load->connection_count, sizeof *waiting);
    load->started_at = load->now = clock_ns();
    double cpu_before = cpu_seconds();
    for (;;) {
        load->stopping = load->issued >= load->plan->requests_max ||
                         load->now - load->started_at >= load->plan->nanoseconds_max;
        for (unsigned i = 0; i < load->connection_count; i++) refill(load, &load->connections[i]);
        if (all_idle(load)) break;
        if (load->connection_count == 1) wait_for_one(load, &load->connections[0]);
        else wait_for_any(load, waiting);
    }
    load->result->seconds = (double)(load->now - load->started_at) / 1e9;
    load->result->cpu_seconds = cpu_seconds() - cpu_before;
    free(waiting);
}

void load_run(const struct load_plan *plan, const int *fds, unsigned fd_count, struct load_result *result) {
    struct load load = {.plan = plan,
                        .result = result,
                        .connection_count = fd_count,
                        .random = plan->seed + 0x9e3779b97f4a7c15ull, /* never zero */
                        .block_count = plan->image_bytes / plan->block_bytes};
    load.connections = allocate(fd_count, sizeof *load.connections);
    load.scratch = allocate(1, SCRATCH_BYTES);
    load.payload = allocate(1, plan->block_bytes + sizeof(uint64_t));
    /* Random, so that no server can win by noticing zeroes. */
    for (size_t i = 0; i < plan->block_bytes; i += sizeof(uint64_t)) {
        uint64_t word = next_random(&load.random);
        memcpy(load.payload + i, &word, sizeof word);
    }
    for (unsigned i = 0; i < fd_count; i++) {
        struct connection *connection = &load.connections[i];
        connection->fd = fds[i];
        connection->slots = allocate(plan->depth, sizeof *connection->slots);
        connection->free_slots = allocate(plan->depth, sizeof *connection->free_slots);
        while (connection->free_count < plan->depth) {
            connection->free_slots[connection->free_count] = (uint16_t)connection->free_count;
            connection->free_count++;
        }
    }
    run(&load);
    for (unsigned i = 0; i < fd_count; i++) {
        free(load.connections[i].slots);
        free(load.connections[i].free_slots);
    }
    free(load.connections);
    free(load.scratch);
    free(load.payload);
}
