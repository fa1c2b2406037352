using System.Globalization;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Simulator.Model;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Workload;

/// <summary>Draws what a client asks next of typed values.</summary>
internal sealed class ValueDrawing(ValuesPlan plan, SeededRandom random)
{
    private const int BatchLinesMax = 4;
    private const int CompareAndSetPercent = 35;

    /// <param name="stamp">Unlike that of every other request, so that what is written tells who wrote it.</param>
    /// <param name="seen">What the client has seen last of the register of each tag.</param>
    public ValueRequest Draw(ulong stamp, bool isWrite, ReadOnlySpan<SeenRegister> seen)
    {
        int tag = (int)random.Next(plan.Tags);
        KeyUse use = DrawUse();
        if (isWrite && random.Next(1000) < plan.ClearPermille)
        {
            return new ValueRequest([["FLUSHDB"]], false, true) { IsClear = true };
        }

        if (use == KeyUse.Pair)
        {
            return isWrite ? WritePair(tag, stamp) : ReadPair(tag);
        }

        if (use is KeyUse.Register or KeyUse.Counter)
        {
            return !isWrite ? ReadRegister(tag, use)
                : use == KeyUse.Register && random.Next(100) < CompareAndSetPercent
                ? CompareAndSet(tag, stamp, seen[tag])
                : WriteRegister(tag, use, stamp);
        }

        int count = random.Next(100) < plan.BatchPercent ? (int)random.Between(2, BatchLinesMax) : 1;
        string[][] lines = new string[count][];
        for (int i = 0; i < count; i++)
        {
            bool writes = isWrite && (i == 0 || random.Next(3) > 0);
            KeyUse next = i == 0 ? use : FreeUse();
            lines[i] = writes ? Write(tag, next, (stamp * 16) + (ulong)i) : Read(tag, next);
        }

        return new ValueRequest(lines, count > 1, isWrite);
    }

    /// <summary>A piece of an iteration over all keys.</summary>
    public ValueRequest Scan(string cursor)
    {
        string[] line = ["SCAN", cursor];
        return new([random.Next(2) == 0 ? line : [.. line, "COUNT", Number(random.Between(1, 5))]], false, false)
        {
            IsScan = true,
        };
    }

    /// <summary>Reads all that a key may hold, whatever its type is.</summary>
    public static ValueRequest ReadAll(int tag, KeyUse use) => use switch
    {
        KeyUse.Pair => new([["MGET", ValueKeys.Of(tag, use), ValueKeys.Second(tag)]], false, false)
        {
            ReadsPair = true,
        },
        KeyUse.Register or KeyUse.Counter => ReadRegister(tag, use),
        _ => new([ReadWhole(ValueKeys.Of(tag, use), use)], false, false),
    };

    /// <summary>A write to a register or a counter that every client may make.</summary>
    public static ValueRequest WriteRegister(int tag, KeyUse use, ulong stamp)
    {
        string key = ValueKeys.Of(tag, use);
        long number = ValueKeys.RegisterNumber(tag, use);
        long argument = (long)stamp + 1;
        string text = argument.ToString(CultureInfo.InvariantCulture);
        return use == KeyUse.Counter
            ? new([["INCRBY", key, text]], false, true)
            {
                Register = new(OperationKind.Add, number, argument, 0),
            }
            : new([["SET", key, text]], false, true)
            {
                Register = new(OperationKind.Write, number, argument, 0),
            };
    }

    /// <summary>A write to a register that succeeds only while the key has a version that was seen.</summary>
    public static ValueRequest CompareAndSet(int tag, ulong stamp, SeenRegister seen)
    {
        long argument = (long)stamp + 1;
        string version = seen.Version ?? ModelRun.NoVersion;
        string key = ValueKeys.Of(tag, KeyUse.Register);
        return new([["CAS", key, version, argument.ToString(CultureInfo.InvariantCulture)]], false, true)
        {
            Register = new(
                OperationKind.CompareAndSet, ValueKeys.RegisterNumber(tag, KeyUse.Register), argument, seen.Value),
        };
    }

    private static ValueRequest ReadRegister(int tag, KeyUse use) =>
        new([[use == KeyUse.Counter ? "GET" : "GETV", ValueKeys.Of(tag, use)]], false, false)
        {
            Register = new(OperationKind.Read, ValueKeys.RegisterNumber(tag, use), 0, 0),
        };

    private static string[] ReadWhole(string key, KeyUse use) => use switch
    {
        KeyUse.Hash => ["HGETALL", key],
        KeyUse.Set => ["SMEMBERS", key],
        KeyUse.List => ["LRANGE", key, "0", "-1"],
        KeyUse.SortedSet => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
        KeyUse.Json => ["JSON.GET", key],
        KeyUse.Any => ["TYPE", key],
        _ => ["GET", key],
    };

    private KeyUse DrawUse()
    {
        long left = random.Next(plan.Weights.Sum());
        int use = 0;
        while (left >= plan.Weights[use])
        {
            left -= plan.Weights[use++];
        }

        return (KeyUse)use;
    }

    /// <summary>A use that may stand in a batch.</summary>
    private KeyUse FreeUse() => DrawUse() is var use && use is KeyUse.Register or KeyUse.Counter or KeyUse.Pair
        ? KeyUse.Text
        : use;

    private ValueRequest WritePair(int tag, ulong stamp)
    {
        string first = ValueKeys.Of(tag, KeyUse.Pair);
        string second = ValueKeys.Second(tag);
        string value = Value(stamp);
        return random.Next(10) switch
        {
            0 => new([["DEL", first, second]], false, true),
            < 4 => new([["MSET", first, value, second, value]], false, true),
            < 6 => new(
                [["SET", second, value], Write(tag, KeyUse.Text, stamp), ["SET", first, value]], true, true),
            _ => new([["SET", first, value], ["SET", second, value]], true, true),
        };
    }

    private ValueRequest ReadPair(int tag)
    {
        string first = ValueKeys.Of(tag, KeyUse.Pair);
        string second = ValueKeys.Second(tag);
        return random.Next(2) == 0
            ? new([["MGET", first, second]], false, false) { ReadsPair = true }
            : new([["GET", first], ["GET", second]], true, false) { ReadsPair = true };
    }

    private string[] Write(int tag, KeyUse use, ulong stamp)
    {
        string key = ValueKeys.Of(tag, use);
        if (random.Next(100) < plan.ExpiryPercent)
        {
            return WriteExpiry(key, use, stamp);
        }

        if (random.Next(15) == 0)
        {
            return random.Next(2) == 0 ? ["DEL", key] : ["ENTRY.DEL", key, "*"];
        }

        if (random.Next(10) == 0)
        {
            return PutEntry(key, use, stamp);
        }

        return use switch
        {
            KeyUse.Text => WriteText(key, stamp),
            KeyUse.Hash => WriteHash(key, stamp),
            KeyUse.Set => WriteSet(tag, key),
            KeyUse.List => WriteList(key, stamp),
            KeyUse.SortedSet => random.Next(6) == 0 ? CombineSorted(tag, key) : WriteSortedSet(key),
            KeyUse.Json => ["JSON.SET", key, "$", $"{{\"stamp\":{stamp},\"list\":[1,true,null]}}"],
            _ => Write(key, (KeyUse)random.Between((int)KeyUse.Text, (int)KeyUse.SortedSet), stamp),
        };
    }

    private string[] Write(string key, KeyUse use, ulong stamp) => use switch
    {
        KeyUse.Text => WriteText(key, stamp),
        KeyUse.Hash => WriteHash(key, stamp),
        KeyUse.Set => ["SADD", key, Element()],
        KeyUse.List => WriteList(key, stamp),
        _ => WriteSortedSet(key),
    };

    private string[] WriteExpiry(string key, KeyUse use, ulong stamp)
    {
        string time = Number(random.Between(1, plan.ExpiryMillisecondsMax));
        return random.Next(use == KeyUse.Text ? 6 : 3) switch
        {
            0 => ["PEXPIRE", key, time],
            1 => ["PERSIST", key],
            2 => ["PEXPIRE", key, random.Next(6) == 0 ? "-1" : time],
            _ => ["SET", key, Value(stamp), "PX", time],
        };
    }

    /// <summary>A whole value in the place of what stands there, or only where nothing does.</summary>
    private string[] PutEntry(string key, KeyUse use, ulong stamp)
    {
        string[] head =
            ["ENTRY.PUT", key, random.Next(3) == 0 ? "0" : "*", random.Next(2) == 0 ? "-" : "="];
        return use switch
        {
            KeyUse.Text when random.Next(2) == 0 => [.. head, "scalar", Number((long)stamp)],
            KeyUse.Text => [.. head, "string", Value(stamp)],
            KeyUse.Hash => [.. head, "hash", "f1", "s", Value(stamp), "f2", "j", Number((long)stamp)],
            KeyUse.Set => [.. head, "set", "m2", $"m{stamp}x", "m1"],
            KeyUse.List => [.. head, "list", "j", Number((long)stamp), "s", Value(stamp), "j", "null"],
            KeyUse.SortedSet => [.. head, "zset", "m2", Score(), $"m{stamp}x", Score()],
            KeyUse.Json => [.. head, "json", $"{{\"stamp\":{stamp},\"list\":[[]]}}"],
            _ => PutEntry(key, (KeyUse)random.Between((int)KeyUse.Text, (int)KeyUse.SortedSet), stamp),
        };
    }

    private string[] WriteText(string key, ulong stamp) => random.Next(10) switch
    {
        0 => ["SET", key, Value(stamp), "NX"],
        1 => ["SET", key, Value(stamp), "XX", "GET"],
        2 => ["SET", key, Value(stamp), "KEEPTTL"],
        3 => ["SETNX", key, Value(stamp)],
        4 => ["GETDEL", key],
        5 => ["INCRBY", key, Number(random.Between(-5, 5))],
        6 => ["SET", key, Number(random.Between(-5, 5))],
        7 => ["APPEND", key, $"+{stamp}"],
        _ => ["SET", key, Value(stamp)],
    };

    private string[] WriteHash(string key, ulong stamp) => random.Next(8) switch
    {
        0 => ["HDEL", key, Element(), Element()],
        1 => ["HINCRBY", key, Element(), Number(random.Between(-5, 5))],
        2 => ["HSETNX", key, Element(), Value(stamp)],
        3 => ["HSET", key, Element(), Number(random.Between(0, 9))],
        4 => ["HSET", key, Element(), Value(stamp), Element(), Value(stamp)],
        _ => ["HSET", key, Element(), Value(stamp)],
    };

    private string[] WriteSet(int tag, string key) => random.Next(10) switch
    {
        0 => ["SPOP", key],
        1 => ["SPOP", key, Number(random.Between(0, 4))],
        2 or 3 => [Pick("SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"), PickSet(tag), PickSet(tag), PickSet(tag)],
        4 or 5 => ["SREM", key, Element(), Element()],
        _ => ["SADD", key, Element(), Element()],
    };

    private string[] ReadSet(int tag, string key) => random.Next(4) switch
    {
        0 => ["SCARD", key],
        1 => ["SRANDMEMBER", key],
        2 => ["SRANDMEMBER", key, Number(random.Between(-4, 4))],
        _ => [Pick("SUNION", "SINTER", "SDIFF"), PickSet(tag), PickSet(tag)],
    };

    private string[] CombineSorted(int tag, string key)
    {
        string name = Pick("ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE");
        string[] line = [name, Pick(key, ValueKeys.Of(tag, KeyUse.Any)), "2", key, PickSet(tag)];
        if (name != "ZDIFFSTORE" && random.Next(2) == 0)
        {
            line = [.. line, "WEIGHTS", Number(random.Between(1, 3)), Number(random.Between(1, 3))];
        }

        return name != "ZDIFFSTORE" && random.Next(2) == 0
            ? [.. line, "AGGREGATE", Pick("SUM", "MIN", "MAX")]
            : line;
    }

    /// <summary>A key that is a set, or may be one.</summary>
    private string PickSet(int tag) => ValueKeys.Of(tag, random.Next(3) == 0 ? KeyUse.Any : KeyUse.Set);

    private string[] WriteList(string key, ulong stamp) => random.Next(9) switch
    {
        0 => ["LPOP", key],
        1 => ["RPOP", key],
        2 => ["LSET", key, Number(random.Between(-3, 3)), Value(stamp)],
        3 => ["RPUSH", key, Value(stamp), Value(stamp)],
        4 => ["LTRIM", key, "0", Number(random.Between(0, 8))],
        5 or 6 => ["RPUSH", key, Value(stamp)],
        _ => ["LPUSH", key, Value(stamp)],
    };

    private string[] WriteSortedSet(string key) => random.Next(8) switch
    {
        0 => ["ZREM", key, Element()],
        1 => ["ZINCRBY", key, Score(), Element()],
        2 => ["ZADD", key, "NX", Score(), Element()],
        3 => ["ZADD", key, "XX", "CH", Score(), Element()],
        4 => ["ZPOPMIN", key],
        _ => ["ZADD", key, Score(), Element(), Score(), Element()],
    };

    private string[] Read(int tag, KeyUse use)
    {
        string key = ValueKeys.Of(tag, use);
        if (random.Next(8) == 0)
        {
            return ["ENTRY.GET", key];
        }

        return (random.Next(4), use) switch
        {
            (0, _) => [Pick("PTTL", "TTL", "EXISTS", "TYPE"), key],
            (1, KeyUse.Hash) => ["HMGET", key, Element(), Element()],
            (1, KeyUse.Set) => ["SISMEMBER", key, Element()],
            (1, KeyUse.List) => ["LINDEX", key, Number(random.Between(-3, 3))],
            (1, KeyUse.SortedSet) => [Pick("ZSCORE", "ZRANK"), key, Element()],
            (2, KeyUse.Hash) => ["HLEN", key],
            (2, KeyUse.Set) => ReadSet(tag, key),
            (2, KeyUse.List) => ["LLEN", key],
            (2, KeyUse.SortedSet) => ["ZCOUNT", key, Number(random.Between(-5, 0)), Number(random.Between(0, 5))],
            (_, KeyUse.Any) => ReadWhole(key, (KeyUse)random.Between((int)KeyUse.Text, (int)KeyUse.Any)),
            _ => ReadWhole(key, use),
        };
    }

    private string Element() => ValueKeys.Element((int)random.Next(plan.Elements));

    /// <summary>Quarters are exact in binary, so that sums do not depend on how they are rounded.</summary>
    private string Score() => (random.Between(-20, 20) / 4.0).ToString(CultureInfo.InvariantCulture);

    private string Value(ulong stamp)
    {
        string head = string.Create(CultureInfo.InvariantCulture, $"v{stamp}");
        if (plan.PaddingBytes == 0)
        {
            return head;
        }

        // Half of the padding can be compressed, half can not.
        char[] padding = new char[random.Next(plan.PaddingBytes + 1)];
        for (int i = 0; i < padding.Length; i++)
        {
            padding[i] = i % 2 == 0 ? 'x' : (char)random.Next(256);
        }

        return head + new string(padding);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private string Pick(params string[] choices) => choices[random.Next(choices.Length)];
}
