/* The fixed newstyle handshake with NBD_OPT_GO, NBD_OPT_STRUCTURED_REPLY before it if wanted, and nothing more: no TLS. */
#define _GNU_SOURCE
#include "nbd_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define NBDMAGIC 0x4e42444d41474943ull
#define IHAVEOPT 0x49484156454f5054ull
#define OPTION_REPLY_MAGIC 0x3e889045565a9ull

#define FLAG_FIXED_NEWSTYLE 1u
#define FLAG_NO_ZEROES 2u

#define OPT_GO 7u
#define OPT_STRUCTURED_REPLY 8u
#define REP_ACK 1u
#define REP_INFO 3u
#define REP_ERROR_BIT 0x80000000u
#define INFO_EXPORT 0u
#define INFO_BLOCK_SIZE 3u
#define EXPORT_READ_ONLY 2u

/* No server needs more for one answer to OPT_GO: names and descriptions are at most 4096 bytes. */
#define OPTION_REPLY_BYTES_MAX 8192u

/* A server that is silent for this long is broken, not slow. */
#define SILENCE_SECONDS_MAX 30

void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void send_all(int fd, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) die("sending the handshake: %s", strerror(errno));
        at += sent;
        length -= (size_t)sent;
    }
}

static void receive_all(int fd, void *bytes, size_t length) {
    char *at = bytes;
    while (length > 0) {
        ssize_t received = recv(fd, at, length, 0);
        if (received < 0 && errno == EINTR) continue;
        if (received < 0) die("receiving the handshake: %s", strerror(errno));
        if (received == 0) die("the server closed the connection during the handshake");
        at += received;
        length -= (size_t)received;
    }
}

static int connect_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) die("socket path too long: %s", path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connecting to %s: %s", path, strerror(errno));
    return fd;
}

static int connect_tcp(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int status = getaddrinfo(host, port, &hints, &found);
    if (status != 0) die("resolving %s:%s: %s", host, port, gai_strerror(status));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        die("connecting to %s:%s: %s", host, port, strerror(errno));
    freeaddrinfo(found);
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        die("setting TCP_NODELAY: %s", strerror(errno));
    return fd;
}

int nbd_connect(const struct nbd_address *address) {
    int fd = address->socket_path != NULL ? connect_unix(address->socket_path)
                                          : connect_tcp(address->host, address->port);
    struct timeval silence = {.tv_sec = SILENCE_SECONDS_MAX};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) != 0)
        die("setting SO_RCVTIMEO: %s", strerror(errno));
    return fd;
}

static void greet(int fd) {
    struct {
        uint64_t magic, option_magic;
        uint16_t flags;
    } __attribute__((packed)) greeting;
    receive_all(fd, &greeting, sizeof greeting);
    if (be64toh(greeting.magic) != NBDMAGIC) die("not an NBD server");
    if (be64toh(greeting.option_magic) != IHAVEOPT) die("the server speaks only oldstyle NBD");
    uint16_t flags = be16toh(greeting.flags);
    if (!(flags & FLAG_FIXED_NEWSTYLE)) die("the server does not speak fixed newstyle NBD");
    uint32_t client_flags = htobe32(flags & (FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES));
    send_all(fd, &client_flags, sizeof client_flags);
}

/* NBD_OPT_GO: option header, name length, name, number of information requests, and the one request we make.
 * Asking for the block size is a promise to keep to it. */
static void send_go(int fd, const char *export_name) {
    uint32_t name_length = (uint32_t)strlen(export_name);
    if (name_length > 4096) die("export name too long");
    struct {
        uint64_t magic;
        uint32_t option, length, name_length;
    } __attribute__((packed)) head = {htobe64(IHAVEOPT), htobe32(OPT_GO), htobe32(4 + name_length + 4),
                                      htobe32(name_length)};
    uint16_t information[2] = {htobe16(1), htobe16(INFO_BLOCK_SIZE)};
    send_all(fd, &head, sizeof head);
    send_all(fd, export_name, name_length);
    send_all(fd, information, sizeof information);
}

static uint32_t be32_at(const unsigned char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return be32toh(value);
}

static void take_information(struct nbd_export *export, const unsigned char *data, uint32_t length) {
    if (length < 2) die("NBD_REP_INFO of %u bytes", length);
    unsigned type = (unsigned)data[0] << 8 | data[1];
    if (type == INFO_EXPORT && length == 12) {
        export->size_bytes = (uint64_t)be32_at(data + 2) << 32 | be32_at(data + 6);
        export->read_only = (data[11] & EXPORT_READ_ONLY) != 0;
    } else if (type == INFO_BLOCK_SIZE && length == 14) {
        export->block_bytes_min = be32_at(data + 2);
        export->payload_bytes_max = be32_at(data + 10);
    }
}

/* One reply to `option`; its data is in `data`. Returns its type. */
static uint32_t receive_option_reply(int fd, uint32_t option, unsigned char *data, uint32_t *length) {
    struct {
        uint64_t magic;
        uint32_t option, type, length;
    } __attribute__((packed)) reply;
    receive_all(fd, &reply, sizeof reply);
    if (be64toh(reply.magic) != OPTION_REPLY_MAGIC || be32toh(reply.option) != option)
        die("the reply to option %u is malformed", option);
    *length = be32toh(reply.length);
    if (*length > OPTION_REPLY_BYTES_MAX) die("an option reply of %u bytes", *length);
    receive_all(fd, data, *length);
    return be32toh(reply.type);
}

/* Returns whether the server has them. */
static int ask_structured(int fd) {
    struct {
        uint64_t magic;
        uint32_t option, length;
    } __attribute__((packed)) head = {htobe64(IHAVEOPT), htobe32(OPT_STRUCTURED_REPLY), 0};
    unsigned char data[OPTION_REPLY_BYTES_MAX];
    uint32_t length;
    send_all(fd, &head, sizeof head);
    return receive_option_reply(fd, OPT_STRUCTURED_REPLY, data, &length) == REP_ACK;
}

struct nbd_export nbd_negotiate(int fd, const char *export_name, enum nbd_replies replies) {
    struct nbd_export export = {.block_bytes_min = 1, .payload_bytes_max = 32u << 20};
    greet(fd);
    if (replies != NBD_REPLIES_SIMPLE) export.structured = ask_structured(fd);
    if (replies == NBD_REPLIES_STRUCTURED && !export.structured) die("the server has no structured replies");
    send_go(fd, export_name);
    for (;;) {
        unsigned char data[OPTION_REPLY_BYTES_MAX];
        uint32_t length, type = receive_option_reply(fd, OPT_GO, data, &length);
        if (type & REP_ERROR_BIT)
            die("the server refuses export \"%s\" (error %u) %.*s", export_name, type & ~REP_ERROR_BIT,
                (int)length, (const char *)data);
        if (type == REP_INFO) take_information(&export, data, length);
        if (type == REP_ACK) break;
    }
    if (export.size_bytes == 0) die("export \"%s\" is empty", export_name);
    return export;
}

void nbd_disconnect(int fd) {
    struct nbd_request request = {.magic = htobe32(NBD_REQUEST_MAGIC), .command = htobe16(NBD_CMD_DISC)};
    (void)!send(fd, &request, sizeof request, MSG_NOSIGNAL);
    close(fd);
}
