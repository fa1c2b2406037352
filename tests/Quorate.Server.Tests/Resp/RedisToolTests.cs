namespace Quorate.Server.Tests.Resp;

/// <summary>The programs that people use with Redis work here.</summary>
public sealed class RedisToolTests
{
    [Theory]
    [InlineData("")]
    [InlineData("-3")]
    public async Task Redis_cli_works(string options)
    {
        string? path = RedisTools.Find("redis-cli");
        Assert.SkipWhen(path is null, "redis-cli is not installed");
        await using RespHost host = await RespHost.StartAsync();

        string output = RedisTools.Run(
            path!,
            $"{options} -p {host.Port}",
            "SET greeting \"hello there\"\nGET greeting\nHSET h f 1\nHGETALL h\nZADD z 1.5 a\n"
                + "ZRANGE z 0 -1 WITHSCORES\nNOSUCH\nCOMMAND COUNT\nQUIT\n");

        Assert.Contains("hello there", output, StringComparison.Ordinal);
        Assert.Contains("1.5", output, StringComparison.Ordinal);
        Assert.Contains("ERR unknown command", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Error", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redis_cli_scans_pipes_and_looks_for_big_keys()
    {
        string? path = RedisTools.Find("redis-cli");
        Assert.SkipWhen(path is null, "redis-cli is not installed");
        await using RespHost host = await RespHost.StartAsync();

        string piped = RedisTools.Run(
            path!,
            $"-p {host.Port} --pipe",
            string.Concat(Enumerable.Range(0, 1000).Select(i => RawClient.Encode("SET", $"k{i}", "v"))));
        string scanned = RedisTools.Run(path!, $"-p {host.Port} --scan --pattern k*");

        Assert.Contains("errors: 0, replies: 1000", piped, StringComparison.Ordinal);
        Assert.Equal(1000, scanned.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Redis_benchmark_works()
    {
        string? path = RedisTools.Find("redis-benchmark");
        Assert.SkipWhen(path is null, "redis-benchmark is not installed");
        await using RespHost host = await RespHost.StartAsync();

        string output = RedisTools.Run(
            path!,
            $"-p {host.Port} -t ping,set,get,incr,lpush,hset,sadd,zadd,mset -n 2000 -P 16 -c 20 -r 100 -q --csv");

        string[] tests =
        [
            "PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "HSET", "SADD", "ZADD", "MSET (10 keys)",
        ];
        foreach (string test in tests)
        {
            Assert.Contains($"\"{test}\",", output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("Error", output, StringComparison.OrdinalIgnoreCase);
    }
}
