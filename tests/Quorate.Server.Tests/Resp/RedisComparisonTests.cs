using System.Diagnostics;
using System.Net.Sockets;

namespace Quorate.Server.Tests.Resp;

/// <summary>The endpoint answers byte for byte what a real Redis answers, in both versions of the protocol.</summary>
public sealed class RedisComparisonTests
{
    private static readonly string[] Lines =
    [
        "SET a 1", "GET a", "GET none", "INCRBYFLOAT a 1.5", "MSET x 1 y 2 z 3", "MGET x none z", "MSET x",
        "EXISTS x y none x", "DEL x y", "TOUCH z none", "UNLINK z", "APPEND s hello", "STRLEN s", "GETRANGE s 0 2",
        "SETNX s x", "GETSET s y", "TYPE s", "TYPE none", "RENAME {s}none s", "RENAME s {s}t", "TTL s",
        "EXPIRE {s}t 100", "PERSIST {s}t", "GETEX none", "HSET h f 1 g 2", "HGETALL h", "HGETALL none", "HGET h f",
        "HGET h none", "HMGET h f none", "HKEYS h", "HINCRBYFLOAT h f 0.5", "HRANDFIELD none", "HRANDFIELD none 3",
        "HRANDFIELD none 3 WITHVALUES", "HSCAN h 0", "HEXISTS h f", "HSTRLEN h g", "RPUSH l a b c", "LRANGE l 0 -1",
        "LPOP l", "LPOP l 5", "LPOP none", "LPOP none 2", "RPOP none", "RPOP none 2", "LINDEX l 0", "LPOS none a",
        "LPOS none a COUNT 0", "LMOVE none {none}b LEFT RIGHT", "SADD t a", "SMEMBERS t", "SMEMBERS none",
        "SISMEMBER t a", "SMISMEMBER t a b", "SPOP none", "SPOP none 2", "SRANDMEMBER none", "SRANDMEMBER none 2",
        "SINTER t {t}none", "SUNION t", "SCARD t", "SPOP t 1", "ZADD q 1 a 2.5 b 3 c", "ZSCORE q b", "ZSCORE q none",
        "ZMSCORE q a none", "ZRANGE q 0 -1", "ZRANGE q 0 -1 WITHSCORES", "ZRANGEBYSCORE q -inf +inf WITHSCORES",
        "ZREVRANGE q 0 -1 WITHSCORES", "ZRANGE none 0 -1 WITHSCORES", "ZRANK q a", "ZRANK q none", "ZINCRBY q 1 a",
        "ZADD q INCR 1 b", "ZADD q XX INCR 1 none", "ZPOPMIN q", "ZPOPMIN q 1", "ZPOPMIN none", "ZPOPMAX none 2",
        "ZRANDMEMBER q 1 WITHSCORES", "ZRANDMEMBER none", "ZRANDMEMBER none 2", "ZRANDMEMBER none 2 WITHSCORES",
        "ZDIFF 1 q WITHSCORES", "ZUNION 1 q", "ZINTER 2 {q}a {q}b WITHSCORES", "ZSCAN q 0", "ZCARD q", "LPUSH a x",
        "RPUSH {q}s 1 2 3", "MSET {q}w1 c {q}w2 a {q}w3 b", "SORT {q}s BY {q}w* ALPHA", "SORT {q}s BY {q}w* ALPHA DESC",
        "HSET {q}h1 f 30", "HSET {q}h2 f 10", "HSET {q}h3 f 20", "SORT {q}s BY {q}h*->f GET # GET {q}w* GET {q}none*",
        "SORT {q}s BY {q}w*", "SORT {q}s LIMIT 1 1 STORE {q}d", "LRANGE {q}d 0 -1", "SORT none", "SORT a",
        "SORT_RO {q}s",
        "LMPOP 1 {q}s LEFT", "LMPOP 1 none LEFT", "LMPOP 0 a LEFT", "ZADD {q}z 1 a 2 b", "ZMPOP 1 {q}z MIN",
        "ZMPOP 1 none MIN", "SETBIT {q}b 7 1", "GETBIT {q}b 7", "BITCOUNT {q}b", "BITPOS {q}b 1",
        "BITOP NOT {q}n {q}b", "BITFIELD {q}b GET u8 0 INCRBY u2 6 3 OVERFLOW FAIL INCRBY u2 6 3",
        "BITFIELD_RO {q}b SET u8 0 1", "MSET {q}x ohmytext {q}y mynewtext", "LCS {q}x {q}y", "LCS {q}x {q}y LEN",
        "LCS {q}x {q}y IDX", "LCS {q}x {q}y IDX MINMATCHLEN 4 WITHMATCHLEN", "OBJECT REFCOUNT {q}x",
        "OBJECT REFCOUNT none", "OBJECT ENCODING none", "OBJECT NOSUCH x", "OBJECT", "OBJECT FREQ none",
        "MEMORY USAGE none", "MEMORY USAGE", "MEMORY USAGE a x", "MEMORY USAGE a SAMPLES", "MEMORY USAGE a SAMPLES -1",
        "MEMORY USAGE a SAMPLES x", "MEMORY NOSUCH", "MEMORY",
        "GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", "GEOPOS geo Palermo none",
        "GEOPOS none x",
        "GEODIST geo Palermo Catania km", "GEODIST geo Palermo none", "GEOHASH geo Palermo none", "GEOADD geo 200 0 x",
        "GEOSEARCH geo FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST WITHHASH",
        "GEORADIUS geo 15 37 200 km DESC", "GEOSEARCHSTORE {geo}d geo FROMLONLAT 15 37 BYRADIUS 1 m", "PFADD hll a b c",
        "PFCOUNT hll", "PFADD hll a", "PFMERGE {hll}2 hll", "PFCOUNT {hll}2 hll", "PFCOUNT a", "PFCOUNT geo",
        "INCR h", "GET", "NOSUCH a b", "SET a", "LPUSH", "INCRBY a x", "GET a b", "PING", "PING hello", "PING a b",
        "ECHO hello", "ECHO", "SELECT 0", "SELECT 1", "SELECT x", "SELECT 16", "HELLO 9", "HELLO x",
        "HELLO 2 SETNAME", "HELLO 2 BAD", "CLIENT GETNAME", "CLIENT SETNAME me", "CLIENT GETNAME",
        "CLIENT SETNAME 'a", "CLIENT NO-EVICT on", "CLIENT NO-EVICT x", "CLIENT REPLY x", "CLIENT GETREDIR",
        "CLIENT NOSUCH", "CLIENT", "CLIENT ID x", "CLIENT KILL ID 0", "CLIENT KILL ID x", "CLIENT KILL nobody",
        "CLIENT KILL ID 987654", "CLIENT LIST TYPE x", "CLIENT LIST BAD", "CLIENT LIST ID x", "MULTI", "MULTI",
        "SET m 1", "INCR m", "PING", "GET m", "LPUSH m x", "EXEC", "EXEC", "DISCARD", "MULTI", "NOSUCH", "EXEC",
        "MULTI", "SET m", "EXEC", "MULTI", "EXEC", "MULTI", "WATCH a", "DISCARD", "WATCH m", "SET m 5", "MULTI",
        "GET m", "EXEC", "WATCH m", "MULTI", "GET m", "EXEC", "WATCH nobody", "UNWATCH", "WATCH", "MULTI",
        "HSET {m}h f 1", "HGETALL {m}h", "ZADD {m}z 1 a", "ZRANGE {m}z 0 -1 WITHSCORES", "ZPOPMIN {m}z 1",
        "LPOP {m}none 2", "GET {m}none", "EXEC", "WAIT x 0", "WAIT 0 -1", "CONFIG GET databases x",
        "CONFIG GET d?tabas*s", "CONFIG RESETSTAT x",
        "CONFIG SET nosuch 1", "CONFIG SET maxclients", "CONFIG NOSUCH", "COMMAND NOSUCH", "COMMAND GETKEYS GET a",
        "COMMAND GETKEYS MSET a 1 b 2", "COMMAND GETKEYS NOSUCH a", "COMMAND GETKEYS PING", "COMMAND GETKEYS GET",
        "COMMAND INFO nosuch", "SCAN x", "SCAN 0 COUNT 0", "SCAN 0 BAD", "CLUSTER INFO", "READONLY", "RANDOMKEY x",
        "SELECT 0", "SET zero 1", "SELECT 9", "EXISTS zero", "MGET a b", "MULTI", "GET a", "EXEC", "SET nine 1",
        "SELECT 0", "EXISTS nine", "ROLE", "SELECT 10", "DBSIZE", "SCAN 0", "FLUSHALL", "SELECT 9", "DBSIZE",
        "SELECT 0", "MULTI", "SELECT 0", "CLIENT SETNAME queued", "CLIENT GETNAME", "CONFIG GET databases", "SELECT 99",
        "HELLO 9", "COMMAND GETKEYS GET a", "SET {t}a 1", "CLUSTER INFO", "READONLY", "ECHO x", "EXEC",
        "CLIENT GETNAME", "MULTI", "SET {t}a 2", "WATCH a", "CLIENT KILL ID 987654", "INCR {t}a", "EXEC", "MULTI",
        "SET {t}a 3", "SELECT", "EXEC", "GET {t}a", "MULTI", "CLIENT NOSUCH", "EXEC", "MULTI", "CONFIG GET",
        "CONFIG NOSUCH", "COMMAND NOSUCH", "EXEC", "MULTI", "CLIENT ID x", "EXEC",
        "MULTI", "ZUNION 3 a", "SINTERCARD x a", "EXEC", "WATCH m", "MULTI", "ZUNION 3 a", "EXEC", "MULTI",
        "ZUNION 3 a", "SET m 7", "EXEC", "SETBIT w 3 0", "WATCH w", "SETBIT w 3 0",
        "BITFIELD w OVERFLOW FAIL INCRBY u1 3 5", "MULTI", "GET w", "EXEC",
        "WATCH w", "SETBIT w 3 1", "MULTI", "GET w", "EXEC", "MULTI", "MSET m 1 n", "INCR m", "EXEC",
        "SET hex 0x7", "INCRBYFLOAT hex -1", "SET hex 0x", "INCRBYFLOAT hex 1", "SET hex -0X1.8p+1",
        "INCRBYFLOAT hex 1", "SET hex 0x1p", "INCRBYFLOAT hex 1", "ZADD hexz 0x10 a 0x.8 b", "ZSCORE hexz a",
        "ZSCORE hexz b", "DEL hex hexz",
        "HRANDFIELD h 9223372036854775807 WITHVALUES", "ZRANDMEMBER none -9223372036854775807 WITHSCORES",
        "MSET m 1 n", "BITCOUNT m -2 -4 x", "BITCOUNT m -4 -2 x", "SELECT 0",
        "SUBSCRIBE __Booksleeve_MasterChanged", "UNSUBSCRIBE __Booksleeve_MasterChanged",
        "DBSIZE x", "FLUSHDB", "DBSIZE", "RANDOMKEY", "KEYS *", "SET only 1", "KEYS o*", "DBSIZE", "RANDOMKEY",
        "RESET", "QUIT",
    ];

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Replies_are_those_of_Redis(int version)
    {
        string? path = RedisTools.Find("redis-server");
        Assert.SkipWhen(path is null, "redis-server is not installed");
        using var redis = new RedisServer(path!);
        await using RespHost host = await RespHost.StartAsync();
        using RawClient expected = redis.Connect();
        using RawClient client = host.Connect();
        if (version == 3)
        {
            expected.Run("HELLO 3");
            client.Run("HELLO 3");
        }

        var differences = new List<string>();
        foreach (string line in Lines)
        {
            string wanted = expected.Run(line);
            string got = client.Run(line);
            if (!string.Equals(wanted, got, StringComparison.Ordinal))
            {
                differences.Add($"{line}\n   Redis: {Shown(wanted)}\n   here:  {Shown(got)}");
            }
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static string Shown(string reply) => reply.Replace("\r\n", "|", StringComparison.Ordinal);
}

/// <summary>Programs of the package redis-tools and their like.</summary>
internal static class RedisTools
{
    /// <summary>Where a program is installed; null when it is not.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end; what it printed.</summary>
    public static string Run(string path, string arguments, string input = "")
    {
        using Process process = Process.Start(new ProcessStartInfo(path, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output + errors.GetAwaiter().GetResult();
    }
}

/// <summary>A real redis-server on a port of its own, with nothing on disk.</summary>
internal sealed class RedisServer : IDisposable
{
    private readonly Process _process;
    private readonly int _port;

    public RedisServer(string path)
    {
        _port = TestPorts.TakeOne();
        _process = Process.Start(new ProcessStartInfo(
            path, $"--port {_port} --bind 127.0.0.1 --save '' --appendonly no --loglevel warning")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = Path.GetTempPath(),
        })!;
    }

    public RawClient Connect()
    {
        RawClient? client = null;
        Soon.IsHere(
            () =>
            {
                try
                {
                    client = new RawClient(_port);
                    return true;
                }
                catch (SocketException)
                {
                    Assert.False(_process.HasExited, "redis-server has ended");
                    return false;
                }
            },
            "redis-server lets clients in");
        return client!;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
