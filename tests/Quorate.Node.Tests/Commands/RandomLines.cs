using System.Globalization;
using Quorate.Core.Model;

namespace Quorate.Node.Tests.Commands;

/// <summary>
/// Command lines by chance, from patterns: `{x}` is a word of a kind, `[a b|c]` perhaps one of the choices, `(a|b)` one
/// of them, and `…*` what stands before it, one to three times. Now and then a line is spoilt.
/// </summary>
/// <param name="seed">The same seed gives the same lines, whatever the tag.</param>
/// <param name="more">Patterns besides those that all have.</param>
internal sealed class RandomLines(ulong seed, params string[] more)
{
    private static readonly string[] Patterns =
    [
        "DEL {k} [{k}]", "UNLINK {k}", "EXISTS {k} {k}", "TOUCH {k}", "TYPE {k}", "RENAME {k} {k}", "RENAMENX {k} {k}",
        "COPY {k} {k} [REPLACE]", "KEYS {P}", "DBSIZE", "PERSIST {k}", "TTL {k}", "PTTL {k}", "EXPIRETIME {k}",
        "PEXPIRETIME {k}",
        "EXPIRE {k} {t} [NX|XX|GT|LT]", "PEXPIRE {k} {t}000 [NX|XX|GT|LT|XX GT|NX XX]",
        "EXPIREAT {k} {T} [NX|XX|GT|LT|GT LT]", "PEXPIREAT {k} {T}000 [NX|XX|GT|LT]", "EXPIRE {k} -1",
        "SET {s} {v} [NX|XX] [GET] [EX {t}|PX {t}000|EXAT {F}|PXAT {F}000|KEEPTTL]", "SET {s} {v}", "SET {s} {i}",
        "GET {s}", "GETSET {s} {v}", "GETDEL {s}", "GETEX {s} [EX {t}|PX {t}000|EXAT {F}|PXAT {F}000|PERSIST|EX 0]",
        "SETNX {s} {v}", "SETEX {s} {t} {v}", "PSETEX {s} {t}000 {v}", "MSET ({s} {v})*", "MSETNX ({s} {v})*",
        "MGET {k} {k} {k}", "APPEND {s} {v}", "STRLEN {s}", "GETRANGE {s} {i} {i}", "SUBSTR {s} {i} {i}",
        "SETRANGE {s} {n} {v}", "INCR {s}", "DECR {s}", "INCRBY {s} {i}", "DECRBY {s} {i}", "INCRBYFLOAT {s} {x}",
        "INCRBY {m} 9223372036854775807", "DECRBY {m} 9223372036854775807", "INCRBY {m} {i}", "DECRBY {m} {i}",
        "DEL {m}",
        "DECRBY {m} -9223372036854775808", "INCRBY {m} -9223372036854775808",
        "HSET {h} ({f} {v})*", "HMSET {h} ({f} {v})*", "HSETNX {h} {f} {v}", "HGET {h} {f}", "HMGET {h} {f} {f}",
        "HGETALL {h}", "HKEYS {h}", "HVALS {h}", "HLEN {h}", "HEXISTS {h} {f}", "HDEL {h} {f}*", "HSET {h} {f} {i}",
        "HINCRBY {h} {f} {i}", "HINCRBYFLOAT {h} {f} {x}", "HSTRLEN {h} {f}", "HSCAN {h} 0 [MATCH {p}] COUNT 1000",
        "HRANDFIELD {h} [{i} [WITHVALUES]]", "HINCRBY {h} big 9223372036854775807", "HDEL {h} big",
        "SADD {a} {f}*", "SADD {a} {f}*", "SREM {a} {f}*", "SISMEMBER {a} {f}", "SMISMEMBER {a} {f}*", "SMEMBERS {a}",
        "SCARD {a}", "SPOP {a} 1000", "SPOP {a} 0", "SRANDMEMBER {a} [{i}]", "SMOVE {a} {a} {f}", "SINTER {a}*",
        "SUNION {a}*", "SDIFF {a}*", "SINTERSTORE {a} {a}*", "SUNIONSTORE {a} {a}*", "SDIFFSTORE {a} {a}*",
        "SINTERCARD 2 {a} {a} [LIMIT {i}]", "SSCAN {a} 0 [MATCH {p}] COUNT 1000", "SINTERCARD {i} {a}",
        "LPUSH {l} {v}*", "RPUSH {l} {v}*", "LPUSH {l} {f}*", "RPUSH {l} {f}*", "LPUSHX {l} {f}*", "RPUSHX {l} {f}",
        "LPOP {l} [{i}]", "RPOP {l} [{i}]", "LLEN {l}", "LINDEX {l} {i}", "LRANGE {l} {i} {i}", "LRANGE {l} 0 -1",
        "LSET {l} {i} {f}", "LTRIM {l} {i} {i}", "LREM {l} {i} {f}", "LINSERT {l} (BEFORE|AFTER) {f} {f}",
        "LPOS {l} {f} [RANK {i}] [COUNT {i}] [MAXLEN {i}]", "LMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT)",
        "RPOPLPUSH {l} {l}",
        "ZADD {z} [NX|XX] [GT|LT] [CH] [INCR] ({x} {f})*", "ZADD {z} ({x} {f})*", "ZADD {z} ({i} {f})*",
        "ZADD {z} INCR {x} {f}", "ZREM {z} {f}*", "ZSCORE {z} {f}", "ZMSCORE {z} {f}*", "ZINCRBY {z} {x} {f}",
        "ZCARD {z}", "ZCOUNT {z} {b} {b}", "ZRANGE {z} {i} {i} [REV] [WITHSCORES]",
        "ZRANGE {z} {b} {b} BYSCORE [REV] [LIMIT {i} {i}] [WITHSCORES]", "ZRANGE {z} {i} {i} LIMIT 0 1",
        "ZREVRANGE {z} {i} {i} [WITHSCORES]", "ZRANGEBYSCORE {z} {b} {b} [WITHSCORES] [LIMIT {i} {i}]",
        "ZREVRANGEBYSCORE {z} {b} {b} [WITHSCORES] [LIMIT {i} {i}]", "ZADD {e} (0 {f})*", "ZADD {e} (0 {f})*",
        "ZRANGE {e} {y} {y} BYLEX [REV] [LIMIT {i} {i}] [WITHSCORES]", "ZRANGEBYLEX {e} {y} {y} [LIMIT {i} {i}]",
        "ZREVRANGEBYLEX {e} {y} {y} [LIMIT {i} {i}]", "ZLEXCOUNT {e} {y} {y}", "ZREMRANGEBYLEX {e} {y} {y}",
        "ZRANGESTORE {z} {z} {i} {i} [REV]", "ZRANGESTORE {z} {z} {b} {b} BYSCORE [REV] [LIMIT {i} {i}]",
        "ZRANK {z} {f}", "ZREVRANK {z} {f}", "ZPOPMIN {z} [{i}]", "ZPOPMAX {z} [{i}]", "ZREMRANGEBYRANK {z} {i} {i}",
        "ZREMRANGEBYSCORE {z} {b} {b}", "ZUNION 2 {z} {c} [WEIGHTS {w} {w}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]",
        "ZINTER 2 {z} {c} [WEIGHTS {w} {w}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]", "ZDIFF 2 {z} {c} [WITHSCORES]",
        "ZUNIONSTORE {z} 2 {z} {c} [WEIGHTS {w} {w}] [AGGREGATE (SUM|MIN|MAX)]", "ZINTERSTORE {z} 2 {z} {c}",
        "ZDIFFSTORE {z} 2 {z} {c}", "ZINTERCARD 2 {z} {z} [LIMIT {i}]", "ZUNION {i} {z}",
        "ZSCAN {z} 0 [MATCH {p}] COUNT 1000", "ZRANDMEMBER {z} [{i} [WITHSCORES]]",
        "LMPOP (1 {l}|2 {l} {l}) (LEFT|RIGHT) [COUNT {i}]", "ZMPOP (1 {z}|2 {z} {z}) (MIN|MAX) [COUNT {i}]",
        "SETBIT {s} {o} (0|1)", "SETBIT {s} {o} (0|1)", "GETBIT {s} {o}", "BITCOUNT {s} [{i} {i} [BYTE|BIT]]",
        "BITPOS {s} (0|1) [{i} [{i} [BYTE|BIT]]]", "BITOP (AND|OR|XOR) {s} {s}*", "BITOP NOT {s} {s}",
        "BITFIELD {s} (GET {B} {O}|SET {B} {O} {I}|INCRBY {B} {O} {I}|OVERFLOW (WRAP|SAT|FAIL) INCRBY {B} {O} {I})*",
        "BITFIELD {s} OVERFLOW (SAT|FAIL) (SET {B} {O} {I}|INCRBY {B} {O} {I})*", "BITFIELD_RO {s} (GET {B} {O})*",
        "LCS {s} {s} [LEN|IDX|IDX WITHMATCHLEN|IDX MINMATCHLEN {n} WITHMATCHLEN]",
        "SORT ({l}|{z}) [ASC|DESC] [LIMIT {i} {i}] [ALPHA]", "SORT {a} ALPHA [DESC] [LIMIT {i} {i}] [STORE {l}]",
        "SORT ({l}|{z}) BY nosort [DESC] [GET #] [LIMIT {i} {i}]", "SORT_RO {l} [ALPHA] [DESC]",
        "PFADD {u} {f}*", "PFADD {u} {v} {i} {x}", "PFADD {u}", "PFCOUNT {u}*", "PFMERGE {u} {u}*",
        "PFCOUNT {s}", "DEL {u}",
        "GEOADD {j} [NX|XX] [CH] ({L} {A} {f})*", "GEOADD {j} ({L} {A} {f})*", "GEOPOS {j} {f}*", "GEOHASH {j} {f}*",
        "GEODIST {j} {f} {f} [m|km|ft|mi]", "ZREM {j} {f}", "ZSCORE {j} {f}",
        "GEOSEARCH {j} (FROMMEMBER {f}|FROMLONLAT {L} {A}) (BYRADIUS {D} {U}|BYBOX {D} {D} {U}) [ASC|DESC] [COUNT {i}] "
            + "[WITHDIST] [WITHHASH] [WITHCOORD]",
        "GEOSEARCHSTORE {z} {j} (FROMMEMBER {f}|FROMLONLAT {L} {A}) BYRADIUS {D} {U} [STOREDIST] [COUNT {i}]",
        "GEORADIUS {j} {L} {A} {D} {U} [ASC|DESC] [COUNT {i}] [WITHDIST] [WITHCOORD] [STORE {z}|STOREDIST {z}]",
        "GEORADIUSBYMEMBER {j} {f} {D} {U} [ASC|DESC] [WITHHASH]", "GEORADIUS_RO {j} {L} {A} {D} {U} DESC",
        "GEORADIUSBYMEMBER_RO {j} {f} {D} {U} [WITHDIST] [COUNT 1000 ANY]",
        "RPUSH {q}l {i}*", "SET {q}w{i} {x}", "HSET {q}h{i} {f} {v}", "DEL {q}l",
        "SORT {q}l BY {q}w* [DESC] [LIMIT {i} {i}] [GET #] [GET {q}h*->{f}] [STORE {l}]",
        "SORT {q}l BY {q}w* DESC GET {q}w* GET #", "SORT_RO {q}l BY {q}nothing ALPHA",
    ];

    private static readonly string[] Spoils = ["abc", "-1", "1.5", "9999999999999999999", "9223372036854775807",
        "9223372036854776", "-9223372036854775808", "[", "NX", "0"];

    private readonly SeededRandom _random = new(seed);
    private readonly string[] _patterns = [.. Patterns, .. more];

    /// <summary>What all keys begin with: a hash tag in braces puts them into one slot. `{t}` is the tag of those that
    /// SORT looks up in any case.</summary>
    public string Tag { get; init; } = "";

    public string[] Next()
    {
        if (_random.Chance(1_500))
        {
            return ["FLUSHDB"];
        }

        List<string> words = [.. Expand(Pick(_patterns)).Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word == "''" ? "" : word)];
        // A range by name means nothing where scores differ: those of e0 and e1 stay what the patterns say.
        if (_random.Chance(30_000) && words[1..].All(IsFreeToSpoil))
        {
            Spoil(words);
        }

        return [.. words];
    }

    private bool IsFreeToSpoil(string word) => word != "{t}l" && word != Tag + "e0" && word != Tag + "e1";

    private void Spoil(List<string> words)
    {
        int at = (int)_random.Next(words.Count);

        // Redis rounds sums of many digits to 80-bit floats.
        string[] spoils = words[0].EndsWith("FLOAT", StringComparison.Ordinal) ? ["abc", "[", "1.5"] : Spoils;
        switch (_random.Next(4))
        {
            case 0 when words.Count > 1:
                words.RemoveAt(words.Count - 1);
                break;
            case 1:
                words.Add(Pick(spoils));
                break;
            case 2 when at > 0:
                words[at] = Pick(spoils);
                break;
            default:
                words[0] = _random.Chance(200_000) ? "NOSUCH" : words[0].ToLowerInvariant();
                break;
        }
    }

    private string Expand(string pattern)
    {
        string result = "";
        for (int at = 0; at < pattern.Length; at++)
        {
            if (pattern[at] is not ('[' or '(' or '{'))
            {
                result += pattern[at];
                continue;
            }

            int end = EndOf(pattern, at);
            string inside = pattern[(at + 1)..end];
            bool repeated = end + 1 < pattern.Length && pattern[end + 1] == '*';
            long times = repeated ? _random.Between(1, 3) : pattern[at] == '[' ? _random.Next(2) : 1;
            for (long i = 0; i < times; i++)
            {
                result += i > 0 ? " " : "";
                result += pattern[at] == '{' ? Word(inside) : Expand(Pick(Choices(inside)));
            }

            at = repeated ? end + 1 : end;
        }

        return result;
    }

    private static int EndOf(string pattern, int at)
    {
        int depth = 0;
        do
        {
            depth += pattern[at] is '[' or '(' or '{' ? 1 : pattern[at] is ']' or ')' or '}' ? -1 : 0;
            at++;
        }
        while (depth > 0);
        return at - 1;
    }

    private static string[] Choices(string inside)
    {
        List<string> choices = [""];
        int depth = 0;
        foreach (char c in inside)
        {
            depth += c is '[' or '(' or '{' ? 1 : c is ']' or ')' or '}' ? -1 : 0;
            if (c == '|' && depth == 0)
            {
                choices.Add("");
            }
            else
            {
                choices[^1] += c;
            }
        }

        return [.. choices];
    }

    private string Word(string kind) =>
        kind is "k" or "s" or "h" or "a" or "l" or "z" or "m" or "e" or "c" or "u" or "j" or "P"
            ? Tag + Bare(kind)
            : Bare(kind);

    private string Bare(string kind) => kind switch
    {
        "k" => Pick(["s", "h", "a", "l", "z"]) + _random.Next(3),
        "s" or "h" or "a" or "l" or "z" => (_random.Chance(30_000) ? Pick(["s", "h", "a", "l", "z"]) : kind)
            + _random.Next(3),
        "m" => "m" + _random.Next(2),
        "e" => "e" + _random.Next(2),
        "c" => Pick(["z", "z", "a"]) + _random.Next(3),
        "f" => Pick(["a", "b", "c", "d", "e", "aa", "ab", "1", "2", "field"]),
        "v" => Pick(["hello", "world", "''", "x", "12", "-7", "007", "3.5", "a-longer-value", "\u00FF\u0001"]),
        "i" => _random.Between(-6, 8).ToString(CultureInfo.InvariantCulture),
        "q" => "{t}",
        "u" => "u" + _random.Next(3),
        "j" => "j" + _random.Next(2),
        "L" => (_random.Between(-1_810_000, 1_810_000) / 10_000.0).ToString(CultureInfo.InvariantCulture),
        "A" => (_random.Between(-860_000, 860_000) / 10_000.0).ToString(CultureInfo.InvariantCulture),
        "D" => Pick(["0", "1", "100", "1500", "12000.5", "500000", "3000000", "-1"]),
        "U" => Pick(["m", "km", "ft", "mi", "KM", "cm"]),
        "o" => _random.Between(-1, 100).ToString(CultureInfo.InvariantCulture),
        "O" => Pick(["", "#"]) + _random.Between(0, 20).ToString(CultureInfo.InvariantCulture),
        "B" => Pick(["u", "i"]) + Pick(["1", "2", "5", "8", "13", "16", "31", "32", "33", "63", "64", "0", "65"]),
        // Redis takes the smallest numbers for too large ones.
        "I" => Pick(["0", "1", "-1", "7", "-100", "255", "65536", "-2147483648", "9223372036854775807", "4294967295"]),
        "n" => _random.Between(-1, 12).ToString(CultureInfo.InvariantCulture),
        "x" => Pick(["1", "2", "-1", "0.5", "1.25", "-3.75", "1e2", "100", "inf", "-inf", "0.1", "3"]),
        // What zero times infinity is hangs on the order of the sets in Redis, so no weight is either.
        "w" => Pick(["1", "2", "-1", "0.5", "100"]),
        "b" => Pick(["-inf", "+inf", "0", "1", "(1", "2", "(2", "-1", "100", "(0.5", "1.25", "x"]),
        "y" => Pick(["-", "+", "[a", "(a", "[b", "(b", "[ab", "(d", "[e", "z"]),
        "p" or "P" => Pick(["*", "a*", "?", "[ab]*", "s?", "[^a]*", "*1", "z[0-1]", "\\a", "h*[0-9]"]),
        "t" => _random.Between(1_000, 100_000_000).ToString(CultureInfo.InvariantCulture),
        "T" => _random.Chance(100_000) ? "1000" : Word("F"),
        "F" => _random.Between(2_000_000_000, 4_000_000_000).ToString(CultureInfo.InvariantCulture),
        _ => throw new InvalidOperationException(kind),
    };

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];
}
