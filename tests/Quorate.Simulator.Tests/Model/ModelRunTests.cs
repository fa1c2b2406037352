using Quorate.Simulator.Model;

namespace Quorate.Simulator.Tests.Model;

/// <summary>The reference model answers as Redis documents it.</summary>
public sealed class ModelRunTests
{
    private ModelKeys _keys = ModelKeys.Empty;
    private long _time = 1_000_000;

    [Fact]
    public void Strings()
    {
        Expect("_", "GET a");
        Expect("+OK", "SET a 1");
        Expect(":11", "INCRBY a 10");
        Expect("$2|11", "GET a");
        Expect(":4", "APPEND a xy");
        Expect("-ERR", "INCR a");
        Expect("_", "SET a 2 NX");
        Expect("$4|11xy", "SET a 3 XX GET");
        Expect(":0", "SETNX a 4");
        Expect("$1|3", "GETDEL a");
        Expect("_", "SET a 5 XX");
        Expect(":1", "SETNX a 9223372036854775807");
        Expect("-ERR", "INCR a");
        Expect("+OK", "SET a 007");
        Expect("-ERR", "INCR a");
        Expect("+OK", "MSET a 1 b 2");
        Expect("*3|$1|1|_|$1|2", "MGET a c b");
    }

    [Fact]
    public void Keys_expire_at_the_millisecond_and_deletion_and_setting_take_the_expiry_away()
    {
        Expect("+OK", "SET a 1 PX 100");
        Expect(":100", "PTTL a");
        _time += 99;
        Expect("$1|1", "GET a");
        Expect("+OK", "SET a 2 KEEPTTL");
        _time += 1;
        Expect("_", "GET a");
        Expect(":-2", "TTL a");
        Expect(":1", "APPEND a x");
        Expect(":-1", "TTL a");
        Expect(":1", "EXPIRE a 10");
        Expect(":10", "TTL a");
        Expect(":1", "PERSIST a");
        Expect(":0", "PERSIST a");
        Expect(":1", "PEXPIRE a -1");
        Expect(":0", "EXISTS a");
        Expect(":0", "EXPIRE a 10");
        Expect("+OK", "SET a 2 EX 1");
        Expect("+OK", "SET a 3");
        Expect(":-1", "TTL a");
    }

    [Fact]
    public void Hashes()
    {
        Expect(":2", "HSET h a 1 b 2");
        Expect(":1", "HSET h a 3 c 4");
        Expect("%3|$1|a|$1|3|$1|b|$1|2|$1|c|$1|4", "HGETALL h");
        Expect(":0", "HSETNX h a 9");
        Expect(":8", "HINCRBY h a 5");
        Expect("*2|$1|8|_", "HMGET h a x");
        Expect(":1", "HDEL h a x");
        Expect(":2", "HLEN h");
        Expect("-WRONGTYPE", "GET h");
        Expect("+hash", "TYPE h");
        Expect(":2", "HDEL h b c");
        Expect("+none", "TYPE h");
        Expect("%0", "HGETALL h");
    }

    [Fact]
    public void Sets()
    {
        Expect(":2", "SADD s b a b");
        Expect(":1", "SADD s a c");
        Expect("~3|$1|a|$1|b|$1|c", "SMEMBERS s");
        Expect(":1", "SISMEMBER s a");
        Expect(":1", "SREM s a x");
        Expect(":2", "SCARD s");
        Expect("-WRONGTYPE", "LPUSH s x");
    }

    [Fact]
    public void Lists()
    {
        Expect(":2", "RPUSH l b c");
        Expect(":4", "LPUSH l a z");
        Expect("*4|$1|z|$1|a|$1|b|$1|c", "LRANGE l 0 -1");
        Expect("*2|$1|a|$1|b", "LRANGE l 1 2");
        Expect("*0", "LRANGE l 3 2");
        Expect("$1|c", "LINDEX l -1");
        Expect("_", "LINDEX l 4");
        Expect("+OK", "LSET l 0 y");
        Expect("-ERR", "LSET l 4 y");
        Expect("-ERR", "LSET none 0 y");
        Expect("$1|y", "LPOP l");
        Expect("*2|$1|c|$1|b", "RPOP l 2");
        Expect("+OK", "LTRIM l 1 5");
        Expect(":0", "EXISTS l");
        Expect("_", "LPOP l");
        Expect(":0", "RPUSHX l a");
    }

    [Fact]
    public void Sorted_sets()
    {
        Expect(":2", "ZADD z 2 a 1 b");
        Expect("*2|$1|b|$1|a", "ZRANGE z 0 -1");
        Expect("*1|*2|$1|b|,1", "ZRANGE z 0 0 WITHSCORES");
        Expect(",2.5", "ZINCRBY z 1.5 b");
        Expect(":1", "ZRANK z b");
        Expect(":0", "ZADD z NX 9 a");
        Expect(":1", "ZADD z XX CH 3 a");
        Expect(":0", "ZADD z XX 3 c");
        Expect(":1", "ZCOUNT z -inf 2.5");
        Expect("*2|$1|b|,2.5", "ZPOPMIN z");
        Expect(",3", "ZSCORE z a");
        Expect("_", "ZSCORE z b");
        Expect(":1", "ZREM z a");
        Expect(":0", "ZCARD z");
    }

    [Fact]
    public void Documents_and_clearing()
    {
        Expect("+OK", "JSON.SET j $ {\"a\":1}");
        Expect("$7|{\"a\":1}", "JSON.GET j");
        Expect("-WRONGTYPE", "GET j");
        Expect("+OK", "SET a 1");
        Expect(":2", "DBSIZE");
        Expect(":2", "DEL a j x");
        Expect("+OK", "SET a 1");
        Expect("+OK", "FLUSHDB");
        Expect(":0", "DBSIZE");
    }

    [Fact]
    public void A_batch_answers_each_command_and_an_error_hinders_no_other()
    {
        var run = new ModelRun(_keys, _time);
        string? reply = run.Do([["SET", "a", "x"], ["INCR", "a"], ["GET", "a"]], isBatch: true);

        Assert.Equal("*3|+OK|-ERR|$1|x", Shown(reply));
    }

    [Theory]
    [InlineData("~2\r\n:2\r\n:1\r\n", "~2\r\n:1\r\n:2\r\n", true)]
    [InlineData("*2\r\n:2\r\n:1\r\n", "*2\r\n:1\r\n:2\r\n", false)]
    [InlineData("%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n", "%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", true)]
    [InlineData("%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n", "%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", false)]
    [InlineData("-ERR one\r\n", "-ERR two\r\n", true)]
    [InlineData("-ERR one\r\n", "-WRONGTYPE one\r\n", false)]
    [InlineData(",1.50\r\n", ",1.5\r\n", true)]
    [InlineData("$2\r\na\r\r\n", "$1\r\na\r\n", false)]
    public void Replies_are_compared_by_what_they_promise(string one, string other, bool alike) =>
        Assert.Equal(alike, ModelReply.Canonical(one) == ModelReply.Canonical(other));

    [Theory]
    [InlineData("")]
    [InlineData(":1")]
    [InlineData("$3\r\nab\r\n")]
    [InlineData("*2\r\n:1\r\n")]
    [InlineData(":1\r\n:2\r\n")]
    [InlineData("?1\r\n")]
    public void What_is_no_reply_is_told(string text) => Assert.Null(ModelReply.Canonical(text));

    [Fact]
    public void Sets_are_combined_and_what_is_stored_takes_the_place_of_anything()
    {
        Expect(":3", "SADD a 1 2 3");
        Expect(":2", "SADD b 2 4");
        Expect("~4|$1|1|$1|2|$1|3|$1|4", "SUNION a b");
        Expect("~1|$1|2", "SINTER a b");
        Expect("~2|$1|1|$1|3", "SDIFF a b c");
        Expect("+OK", "SET d x PX 100");
        Expect("-WRONGTYPE", "SUNION a d");
        Expect(":1", "SINTERSTORE d a b");
        Expect(":-1", "PTTL d");
        Expect(":0", "SINTERSTORE d a c");
        Expect("+none", "TYPE d");
    }

    [Fact]
    public void Sorted_sets_are_combined_with_weights_and_aggregates()
    {
        Expect(":2", "ZADD a 1 x 2 y");
        Expect(":2", "ZADD b 10 y 20 z");
        Expect(":2", "SADD s x w");
        Expect(":3", "ZUNIONSTORE c 2 a b WEIGHTS 2 3");
        Expect("*3|*2|$1|x|,2|*2|$1|y|,34|*2|$1|z|,60", "ZRANGE c 0 -1 WITHSCORES");
        Expect(":1", "ZINTERSTORE c 2 a b WEIGHTS -1 1 AGGREGATE MIN");
        Expect("*1|*2|$1|y|,-2", "ZRANGE c 0 -1 WITHSCORES");
        Expect(":1", "ZDIFFSTORE c 2 a s");
        Expect("*1|*2|$1|y|,2", "ZRANGE c 0 -1 WITHSCORES");
        Expect(":3", "ZUNIONSTORE c 2 a s AGGREGATE MAX");
        Expect("-WRONGTYPE", "SUNION a s");
    }

    [Theory]
    [InlineData("SPOP s", "$1\r\na\r\n", true, 1)]
    [InlineData("SPOP s", "$1\r\nc\r\n", false, 2)]
    [InlineData("SPOP s", "_\r\n", false, 2)]
    [InlineData("SPOP none", "_\r\n", true, 2)]
    [InlineData("SPOP s 5", "~2\r\n$1\r\nb\r\n$1\r\na\r\n", true, 0)]
    [InlineData("SPOP s 2", "~2\r\n$1\r\na\r\n$1\r\na\r\n", false, 2)]
    [InlineData("SPOP s 1", "~2\r\n$1\r\na\r\n$1\r\nb\r\n", false, 2)]
    [InlineData("SRANDMEMBER s", "$1\r\nb\r\n", true, 2)]
    [InlineData("SRANDMEMBER s -3", "*3\r\n$1\r\nb\r\n$1\r\nb\r\n$1\r\na\r\n", true, 2)]
    [InlineData("SRANDMEMBER s 2", "*2\r\n$1\r\nb\r\n$1\r\nb\r\n", false, 2)]
    public void What_was_chosen_by_chance_is_judged_and_what_was_popped_has_left(
        string command, string given, bool isPossible, int left)
    {
        Expect(":2", "SADD s a b");
        var run = new ModelRun(_keys, _time) { Given = given };

        Assert.Equal(isPossible, run.Do(command.Split(' ')) == given);
        _keys = run.After;
        Expect($":{left}", "SCARD s");
    }

    private void Expect(string shown, string command)
    {
        var run = new ModelRun(_keys, _time);
        string? reply = run.Do(command.Split(' '));
        _keys = run.After;
        Assert.Equal(shown, Shown(reply));
    }

    private static string? Shown(string? reply) =>
        reply is null ? null : ModelReply.Canonical(reply)?.Replace("\r\n", "|", StringComparison.Ordinal).TrimEnd('|');
}
