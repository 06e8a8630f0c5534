/* loadgen: an NBD load generator that spends so little CPU on a request that it measures the server. */
#include "load.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define DEPTH_MAX 4096

/* What storage people mean by a mixed load. */
#define MIX_READ_PERCENT 70

static const char usage[] =
    "Usage: loadgen (--tcp HOST:PORT | --unix PATH) [OPTION]...\n"
    "Loads one export of an NBD server and prints one line of JSON.\n"
    "\n"
    "  --export NAME      export name (default: the empty name)\n"
    "  --op OP            read, write, or mix: 70 % reads, 30 % writes (default read)\n"
    "  --pattern PATTERN  random or sequential (default random)\n"
    "  --block BYTES      size of a request (default 4096)\n"
    "  --replies KIND     simple, structured, or offered: structured where the server has them (default simple)\n"
    "  --depth N          requests in flight on each connection (default 1)\n"
    "  --connections N    connections (default 1)\n"
    "  --seconds S        how long (default 2)\n"
    "  --bytes N          or how much: whichever ends first\n"
    "  --seed N           of offsets and of the data written (default 1)\n"
    "  --hold             no load: negotiate all connections, print a line, stay until a signal\n"
    "\n"
    "Any reply with a wrong magic, a cookie that is not outstanding, or an error ends it with exit code 1.\n";

struct options {
    struct nbd_address address;
    char *export_name;
    struct load_plan plan;
    enum nbd_replies replies;
    uint64_t bytes_max;
    unsigned connections;
    int hold;
};

static double number(const char *text, double min, double max, const char *name) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= min && value <= max))
        die("--%s takes a number from %g to %g, not \"%s\"", name, min, max, text);
    return value;
}

/* The place of `text` among `words`, which end with NULL. */
static int choice(const char *text, const char *const *words, const char *name) {
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(text, words[i]) == 0) return i;
    die("--%s does not take \"%s\"", name, text);
}

static struct nbd_address tcp_address(char *text) {
    char *colon = strrchr(text, ':');
    if (colon == NULL) die("--tcp takes HOST:PORT, not \"%s\"", text);
    *colon = '\0';
    return (struct nbd_address){.host = text, .port = colon + 1};
}

static struct options read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"tcp", 1, NULL, 't'},     {"unix", 1, NULL, 'u'},        {"export", 1, NULL, 'e'},
        {"op", 1, NULL, 'o'},      {"pattern", 1, NULL, 'p'},     {"block", 1, NULL, 'b'},
        {"depth", 1, NULL, 'd'},   {"connections", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'},
        {"bytes", 1, NULL, 'n'},   {"seed", 1, NULL, 'r'},        {"replies", 1, NULL, 'y'},
        {"hold", 0, NULL, 'w'},    {"help", 0, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    static const char *const ops[] = {"write", "mix", "read", NULL};
    static const unsigned read_percents[] = {0, MIX_READ_PERCENT, 100};
    static const char *const patterns[] = {"random", "sequential", NULL};
    static const char *const replies[] = {"simple", "structured", "offered", NULL}; /* as enum nbd_replies */
    struct options options = {
        .export_name = "",
        .plan = {.read_percent = 100,
                 .block_bytes = 4096,
                 .depth = 1,
                 .nanoseconds_max = 2000000000,
                 .seed = 1},
        .bytes_max = UINT64_MAX,
        .connections = 1,
    };
    struct load_plan *plan = &options.plan;
    int key;
    while ((key = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (key) {
        case 't': options.address = tcp_address(optarg); break;
        case 'u': options.address = (struct nbd_address){.socket_path = optarg}; break;
        case 'e': options.export_name = optarg; break;
        case 'o': plan->read_percent = read_percents[choice(optarg, ops, "op")]; break;
        case 'p': plan->sequential = choice(optarg, patterns, "pattern"); break;
        case 'y': options.replies = (enum nbd_replies)choice(optarg, replies, "replies"); break;
        case 'b': plan->block_bytes = (uint32_t)number(optarg, 1, 32 << 20, "block"); break;
        case 'd': plan->depth = (uint32_t)number(optarg, 1, DEPTH_MAX, "depth"); break;
        case 'c': options.connections = (unsigned)number(optarg, 1, CONNECTIONS_MAX, "connections"); break;
        case 's': plan->nanoseconds_max = (uint64_t)(number(optarg, 0.01, 86400, "seconds") * 1e9); break;
        case 'n': options.bytes_max = (uint64_t)number(optarg, 1, 1e18, "bytes"); break;
        case 'r': plan->seed = (uint64_t)number(optarg, 0, 1e15, "seed"); break;
        case 'w': options.hold = 1; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(2);
        }
    }
    if (optind != argc || (options.address.socket_path == NULL) == (options.address.host == NULL)) {
        fputs(usage, stderr);
        exit(2);
    }
    return options;
}

static void check_fits(const struct options *options, const struct nbd_export *export) {
    uint32_t block = options->plan.block_bytes, min = export->block_bytes_min, max = export->payload_bytes_max;
    if (block > export->size_bytes) die("a block of %u bytes does not fit the image", block);
    if (min == 0 || block % min != 0) die("the server wants multiples of %u", min);
    if (block > max) die("the server takes at most %u bytes", max);
    if (options->plan.read_percent < 100 && export->read_only) die("the export is read-only");
}

static void print_result(const struct load_plan *plan, const struct load_result *result) {
    double requests = (double)result->requests, bytes = requests * plan->block_bytes;
    double seconds = result->seconds, cpu_seconds = result->cpu_seconds;
    printf("{\"requests\":%" PRIu64 ",\"bytes\":%.0f,\"seconds\":%.6f", result->requests, bytes, seconds);
    printf(",\"iops\":%.1f,\"megabytesPerSecond\":%.2f", requests / seconds, bytes / seconds / 1e6);
    printf(",\"latencyUsP50\":%.2f", histogram_percentile_us(&result->latency, 0.5));
    printf(",\"latencyUsP99\":%.2f", histogram_percentile_us(&result->latency, 0.99));
    printf(",\"latencyUsP999\":%.2f", histogram_percentile_us(&result->latency, 0.999));
    printf(",\"structured\":%s", plan->structured ? "true" : "false");
    printf(",\"cpuSeconds\":%.6f,\"cpuUsPerRequest\":%.4f}\n", cpu_seconds, cpu_seconds * 1e6 / requests);
}

/* One descriptor for each connection, and some that are open anyway. */
static void raise_descriptor_limit(unsigned connections) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit failed");
    if (limit.rlim_cur >= connections + 16) return;
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_max < connections + 16 || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("the limit of open files is too low for %u connections", connections);
}

static void hold(unsigned connections) {
    printf("{\"holding\":%u}\n", connections);
    fflush(stdout);
    for (;;) pause();
}

int main(int argc, char **argv) {
    struct options options = read_options(argc, argv);
    static int fds[CONNECTIONS_MAX];
    raise_descriptor_limit(options.connections);
    for (unsigned i = 0; i < options.connections; i++) {
        fds[i] = nbd_connect(&options.address);
        struct nbd_export export = nbd_negotiate(fds[i], options.export_name, options.replies);
        check_fits(&options, &export);
        options.plan.image_bytes = export.size_bytes;
        options.plan.structured = export.structured;
    }
    if (options.hold) hold(options.connections);
    uint64_t block = options.plan.block_bytes;
    options.plan.requests_max = options.bytes_max / block + (options.bytes_max % block != 0);

    static struct load_result result;
    load_run(&options.plan, fds, options.connections, &result);
    for (unsigned i = 0; i < options.connections; i++) nbd_disconnect(fds[i]);
    print_result(&options.plan, &result);
    return 0;
}
