using Quorate.Server.Resp;

namespace Quorate.Server.Http;

/// <summary>What the RESP endpoint has done, as metrics.</summary>
internal static class RespMetrics
{
    private const string Latency = "quorate_command_seconds";
    private const string LatencyHelp = "How long commands took, from when they had come until the reply was ready.";

    public static void Add(MetricsText text, RespEndpoint endpoint)
    {
        RespCounters counters = endpoint.Shared.Counters;
        text.Gauge("quorate_resp_connections", "Open connections of Redis clients.").Add(endpoint.ConnectionCount);
        text.Counter("quorate_resp_connections_total", "Connections of Redis clients, by what became of them.")
            .Add(counters.Connections, "end", "accepted")
            .Add(counters.Rejected, "end", "rejected")
            .Add(counters.SlowClientsCut, "end", "cut");
        text.Gauge("quorate_resp_reply_bytes", "Replies that wait for clients of Redis to take them, in bytes.")
            .Add(endpoint.Shared.Replies.Held, "what", "waiting")
            .Add(endpoint.Shared.Replies.BytesMax, "what", "most");
        text.Gauge(
            "quorate_resp_input_bytes", "Commands of Redis clients: unfinished, all with those executed, the most.")
            .Add(endpoint.Shared.Budget.Unfinished, "what", "unfinished")
            .Add(endpoint.Shared.Budget.Taken, "what", "all")
            .Add(endpoint.Shared.Budget.BytesMax, "what", "most");
        text.Counter(
            "quorate_resp_pressed_total", "What was done because replies or commands of all clients took too much.")
            .Add(counters.PressedClientsCut, "what", "client_cut")
            .Add(counters.RepliesRefused, "what", "reply_refused")
            .Add(counters.UnfinishedClientsCut, "what", "unfinished_client_cut")
            .Add(counters.InputRefused, "what", "input_refused");
        text.Counter("quorate_resp_bytes_total", "Bytes from and to Redis clients.")
            .Add(counters.BytesIn, "direction", "in")
            .Add(counters.BytesOut, "direction", "out");
        text.Counter(
            "quorate_reads_here_total", "Reads that were served on their connection's own thread.")
            .Add(counters.ReadsHere);
        text.Counter("quorate_requests_not_done_total", "Requests to partitions that were not done, by outcome.")
            .Add(counters.RefusedRequests, "outcome", "refused")
            .Add(counters.UnknownRequests, "outcome", "unknown");
        text.Histogram(Latency, LatencyHelp, counters.Reads, "family", "read");
        text.Histogram(Latency, LatencyHelp, counters.Writes, "family", "write");
        text.Histogram(Latency, LatencyHelp, counters.Others, "family", "connection");
    }
}
