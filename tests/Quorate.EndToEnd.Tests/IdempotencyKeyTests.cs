using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>HTTP requests with an Idempotency-Key are done once, however often they are sent, across the death of
/// leaders; and a key belongs to one request.</summary>
public sealed class IdempotencyKeyTests
{
    private const int Clients = 4;
    private const int RequestsMin = 40;
    private const int Kills = 3;

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(20) };

    private long _resent;

    [Fact]
    public async Task A_request_that_comes_again_after_a_failover_is_not_done_again()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        using var killsAreOver = new CancellationTokenSource();
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(id => Run(cluster, id, killsAreOver.Token))];
        for (int i = 0; i < Kills; i++)
        {
            ServedNode leader = await cluster.LeaderOfWhole();
            leader.Kill();
            await cluster.LeaderOfWhole(leader);
            leader.Start();
            await cluster.UntilReady(leader);
        }

        await killsAreOver.CancelAsync();
        await Task.WhenAll(clients);
        TestContext.Current.TestOutputHelper!.WriteLine($"{_resent} requests were sent again, unanswered");
        Assert.True(_resent > 0, "no request had to be sent again: nothing was tried");
    }

    /// <summary>Puts numbers in turn. Each is sent until it is answered; then the one before comes late once more.
    /// </summary>
    private async Task Run(ServedCluster cluster, int id, CancellationToken stop)
    {
        string key = $"k{id}";
        string before = "";
        for (int i = 1; i <= RequestsMin || !stop.IsCancellationRequested; i++)
        {
            string version = await Put(cluster, key, i, i);
            Assert.NotEqual(before, version);
            if (i > 1)
            {
                Assert.Equal(before, await Put(cluster, key, i - 1, i - 1));
            }

            (HttpStatusCode code, JsonElement entry) = await Until(cluster, i, node => Send(
                node, HttpMethod.Get, $"/entry/{key}", null, null));
            Assert.Equal(HttpStatusCode.OK, code);
            Assert.Equal(i, entry.GetProperty("value").GetInt32());
            (code, _) = await Until(cluster, i, node => Send(
                node, HttpMethod.Post, "/entry", Body(key, -1), $"{key}-{i}"));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
            before = version;
        }
    }

    /// <summary>The version that the put has made, as it was answered first.</summary>
    private async Task<string> Put(ServedCluster cluster, string key, int number, int value)
    {
        (HttpStatusCode code, JsonElement answer) = await Until(cluster, number, node => Send(
            node, HttpMethod.Post, "/entry", Body(key, value), $"{key}-{number}"));
        Assert.True(code == HttpStatusCode.OK, $"{code}: {answer}");
        return answer.GetProperty("metadata").GetProperty("valueVersion").GetString()!;
    }

    /// <summary>Asks one node after the other until one answers.</summary>
    private async Task<(HttpStatusCode Code, JsonElement Json)> Until(
        ServedCluster cluster, int first, Func<ServedNode, Task<(HttpStatusCode Code, JsonElement Json)?>> ask)
    {
        for (int attempt = 0; attempt < 200; attempt++)
        {
            if (await ask(cluster.Nodes[(first + attempt) % cluster.Nodes.Length]) is { } answer
                && answer.Code is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout))
            {
                return answer;
            }

            Interlocked.Increment(ref _resent);

            // A node that is gone refuses at once; the others need a moment to choose.
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        throw new InvalidOperationException($"nobody answers\n{cluster.AllSaid}");
    }

    private async Task<(HttpStatusCode Code, JsonElement Json)?> Send(
        ServedNode node, HttpMethod method, string path, string? body, string? idempotencyKey)
    {
        using var request = new HttpRequestMessage(
            method, new Uri($"http://127.0.0.1:{node.HttpPort}{path}?keyspace=whole"));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        try
        {
            using HttpResponseMessage answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);
            string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return (answer.StatusCode, JsonDocument.Parse(text).RootElement);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static string Body(string key, int value) =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"key\":\"{key}\",\"value\":{value}}}");
}
