namespace Quorate.Node.Tests.Commands;

/// <summary>The conversations of <see cref="FamilyTests"/>; `wait` lets milliseconds pass and answers
/// nothing.</summary>
internal static class Talks
{
    private const string Wrong = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";

    public static readonly Dictionary<string, string> All = new()
    {
        ["errors"] = $"""
            NOSUCH a b
            (error) ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b'
            get
            (error) ERR wrong number of arguments for 'get' command
            INCR a b
            (error) ERR wrong number of arguments for 'incr' command
            SET a x
            OK
            LPUSH a y
            {Wrong}
            INCR a
            (error) ERR value is not an integer or out of range
            SET a 1 NX XX
            (error) ERR syntax error
            SETRANGE a -1 x
            (error) ERR offset is out of range
            SET a v EX 0
            (error) ERR invalid expire time in 'set' command
            RENAME nokey a
            (error) ERR no such key
            """,
        ["strings"] = """
            SET a 10
            OK
            GET a
            "10"
            INCRBY a 5
            15
            APPEND a 0
            3
            INCR a
            151
            SET a 010
            OK
            INCR a
            (error) ERR value is not an integer or out of range
            GET a
            "010"
            SET a 9223372036854775807
            OK
            INCR a
            (error) ERR increment or decrement would overflow
            SET f 10.50
            OK
            INCRBYFLOAT f 0.1
            "10.6"
            INCRBYFLOAT f -5e3
            "-4989.4"
            SETRANGE new 3 x
            4
            GETRANGE new 0 -1
            "   x"
            MSETNX x 1 a 2
            0
            EXISTS x
            0
            MGET f nokey
            ["-4989.4", null]
            """.Replace("\"   x\"", "\"\0\0\0x\""),
        ["versions"] = """
            CAS k 0 one
            "0-1-0"
            CAS k 0 two
            (error) VERSION 0-1-0
            GETV k
            ["one", "0-1-0"]
            CAS k 0-1-0 two
            "0-4-0"
            GETV k
            ["two", "0-4-0"]
            GETV nokey
            null
            CAS nokey 0-7-0 v
            (error) VERSION 0
            PEXPIRE k 5
            1
            wait 5
            GETV k
            null
            CAS k 0 three
            "0-10-0"
            TTL k
            -1
            """,
        ["expiry"] = """
            SET a v EX 10
            OK
            TTL a
            10
            PEXPIRETIME a
            1010000
            wait 9999
            GET a
            "v"
            PTTL a
            1
            wait 1
            GET a
            null
            TTL a
            -2
            DEL a
            0
            HSET h f old g old
            2
            PEXPIRE h 100
            1
            HSET h f older
            0
            PTTL h
            100
            wait 100
            EXISTS h
            0
            HSET h f new
            1
            HGETALL h
            {"f": "new"}
            PTTL h
            -1
            EXPIRE h -1
            1
            KEYS *
            []
            DBSIZE
            0
            """,
        ["collections made anew"] = """
            RPUSH k a b c
            3
            DEL k
            1
            RPUSH k x
            1
            LRANGE k 0 -1
            ["x"]
            SET k v
            OK
            SADD s 1 2 3
            3
            SREM s 1 2 3
            3
            EXISTS s
            0
            SADD s 4
            1
            SMEMBERS s
            {"4"}
            ZADD z 1 a 2 b
            2
            FLUSHDB
            OK
            ZADD z 3 c
            1
            ZRANGE z 0 -1 WITHSCORES
            [["c", 3]]
            RENAME z y
            OK
            ZRANGE y 0 -1
            ["c"]
            ZADD z 9 d
            1
            ZRANGE z 0 -1
            ["d"]
            COPY y z
            0
            COPY y z REPLACE
            1
            ZRANGE z 0 -1
            ["c"]
            """,
        ["lists"] = """
            RPUSH l a b c d e f
            6
            LINSERT l AFTER b x
            7
            LINSERT l BEFORE e y
            8
            LRANGE l 0 -1
            ["a", "b", "x", "c", "d", "y", "e", "f"]
            LREM l 1 x
            1
            LREM l -1 y
            1
            LRANGE l -3 100
            ["d", "e", "f"]
            LMOVE l l LEFT RIGHT
            "a"
            LPOS l a
            5
            LTRIM l 1 -2
            OK
            LRANGE l 0 -1
            ["c", "d", "e", "f"]
            LSET l 9 x
            (error) ERR index out of range
            LPOP l 9
            ["c", "d", "e", "f"]
            LLEN l
            0
            LPUSHX l x
            0
            """,
        ["sorted sets"] = """
            ZADD z 1 a 2 b -3 c inf d -inf e
            5
            ZRANGE z 0 -1 WITHSCORES
            [["e", -Infinity], ["c", -3], ["a", 1], ["b", 2], ["d", Infinity]]
            ZADD z XX CH 5 a 5 nokey
            1
            ZRANK z a
            3
            ZREVRANK z a
            1
            ZADD z -0 zero
            1
            ZSCORE z zero
            0
            ZRANGE z (-3 5 BYSCORE LIMIT 1 2
            ["b", "a"]
            ZINCRBY z inf e
            (error) ERR resulting score is not a number (NaN)
            ZPOPMAX z
            ["d", Infinity]
            ZREMRANGEBYSCORE z -inf 0
            3
            ZRANGE z 0 -1 REV
            ["a", "b"]
            """,
        ["json"] = """
            JSON.SET j . {"a":[1,true,null]}
            OK
            JSON.GET j
            "{"a":[1,true,null]}"
            GET j
            "{"a":[1,true,null]}"
            TYPE j
            json
            JSON.SET j . {"a":
            (error) ERR the value is not one JSON document in UTF-8, nested at most 128 deep
            JSON.SET j . 1,2
            (error) ERR the value is not one JSON document in UTF-8, nested at most 128 deep
            JSON.SET j . 2 NX
            null
            JSON.SET j .a 2
            (error) ERR only the path of the whole document, `.`, is supported
            APPEND j x
            (error) WRONGTYPE Operation against a key holding the wrong kind of value
            JSON.GET nokey
            null
            """,
    };
}
