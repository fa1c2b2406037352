namespace Quorate.Server.Resp.Commands;

/// <summary>An argument of a command, as its line of syntax has it.</summary>
/// <param name="Name">Its first word, in lower case.</param>
/// <param name="Text">All of it, with brackets where it may be left out or comes again.</param>
internal sealed record CommandArgument(string Name, string Text)
{
    /// <summary>It may be left out.</summary>
    public bool IsOptional => Text[0] == '[';

    /// <summary>It may come more than once.</summary>
    public bool IsMultiple => Text.EndsWith("...]", StringComparison.Ordinal);

    /// <summary>Words that it takes at least.</summary>
    public int WordsMin => IsOptional ? 0 : 1;
}

/// <summary>
/// What COMMAND DOCS says of each command: a group, a sentence, and its arguments. An argument in brackets may be left
/// out; three dots say that it may come again.
/// </summary>
internal sealed record CommandDocs(string Group, string Summary, CommandArgument[] Arguments)
{
    /// <summary>Name, group, syntax and sentence; a line that is indented goes on with the one before.</summary>
    private const string Lines = """
        append|string|key value|Appends to a string, and makes it if there is none.
        bitcount|bitmap|key [start end [BYTE|BIT]]|Counts the bits that are set.
        bitfield|bitmap|key [operation ...]|Reads and changes integers of any width within a string.
        bitfield_ro|bitmap|key [GET encoding offset ...]|Reads integers of any width within a string.
        bitop|bitmap|operation destination key [key ...]|Combines strings bit by bit and stores the result.
        bitpos|bitmap|key bit [start [end [BYTE|BIT]]]|Finds the first bit that is set, or the first that is not.
        getbit|bitmap|key offset|Gets one bit of a string.
        setbit|bitmap|key offset value|Sets or clears one bit of a string.
        cas|string|key version value|Sets a string if its version is the one given.
        getv|string|key|Gets a string with its version.
        entry.get|generic|key|Gets a whole value of any type with its version and the time it has left.
        entry.put|generic|key version expiry kind content [content ...]|
            Puts a whole value of any type if the key has this version.
        entry.del|generic|key version|Deletes a key if it has this version, and gets what it held.
        entry.repeat|generic|key print|Does nothing; with the number of an earlier request it gets that one's reply.
        keyversion|generic|key|Gets the version of a key of any type.
        ifversion|transactions|key version [key version ...]|
            In a transaction: does nothing unless keys have these versions.
        decr|string|key|Takes one from a number.
        decrby|string|key decrement|Takes an integer from a number.
        get|string|key|Gets a string.
        getdel|string|key|Gets a string and deletes it.
        getex|string|key [EX seconds|PX milliseconds|EXAT time|PXAT time|PERSIST]|Gets a string and changes its expiry.
        getrange|string|key start end|Gets a part of a string.
        getset|string|key value|Sets a string and gets the one before.
        incr|string|key|Adds one to a number.
        incrby|string|key increment|Adds an integer to a number.
        incrbyfloat|string|key increment|Adds a fraction to a number.
        lcs|string|key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]|
            Finds the longest common subsequence of two strings.
        mget|string|key [key ...]|Gets the strings of several keys.
        mset|string|key value [key value ...]|Sets several strings.
        msetnx|string|key value [key value ...]|Sets several strings if none of the keys exists.
        psetex|string|key milliseconds value|Sets a string that expires.
        set|string|key value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT time|PXAT time|KEEPTTL]|Sets a string.
        setex|string|key seconds value|Sets a string that expires.
        setnx|string|key value|Sets a string if the key does not exist.
        setrange|string|key offset value|Overwrites a part of a string.
        strlen|string|key|Gets the length of a string in bytes.
        substr|string|key start end|Gets a part of a string; GETRANGE is its newer name.
        copy|generic|source destination [REPLACE]|Copies a key to another.
        del|generic|key [key ...]|Deletes keys.
        exists|generic|key [key ...]|Counts which of the keys exist.
        expire|generic|key seconds [NX|XX|GT|LT]|Lets a key expire after some seconds.
        expireat|generic|key time [NX|XX|GT|LT]|Lets a key expire at a Unix time in seconds.
        expiretime|generic|key|Gets the Unix time in seconds at which a key expires.
        keys|generic|pattern|Lists the keys that match a pattern.
        memory|server|subcommand [argument ...]|Says what a key takes in memory.
        object|generic|subcommand [argument ...]|Looks at how a key is kept.
        persist|generic|key|Lets a key live on without an expiry.
        pexpire|generic|key milliseconds [NX|XX|GT|LT]|Lets a key expire after some milliseconds.
        pexpireat|generic|key time [NX|XX|GT|LT]|Lets a key expire at a Unix time in milliseconds.
        pexpiretime|generic|key|Gets the Unix time in milliseconds at which a key expires.
        pttl|generic|key|Gets how long a key lives on, in milliseconds.
        randomkey|generic||Gets a key by chance.
        rename|generic|key newkey|Renames a key.
        renamenx|generic|key newkey|Renames a key if the new name is free.
        scan|generic|cursor [MATCH pattern] [COUNT count] [TYPE type]|Goes through the keys, a piece at a time.
        sort|generic|key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE destination]|
            Sorts a list, a set or a sorted set, and may store the result.
        sort_ro|generic|key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA]|
            Sorts a list, a set or a sorted set.
        touch|generic|key [key ...]|Marks keys as used, and counts those that exist.
        ttl|generic|key|Gets how long a key lives on, in seconds.
        type|generic|key|Gets the type of a key.
        unlink|generic|key [key ...]|Deletes keys; here as DEL does.
        wait.proof|generic||Asks a partition to answer, and nothing else.
        waitaof|generic|numlocal numreplicas timeout|Waits until disks have this connection's writes.
        wait|generic|numreplicas timeout|Waits until replicas have this connection's writes.
        hdel|hash|key field [field ...]|Deletes fields of a hash.
        hexists|hash|key field|Tells whether a hash has a field.
        hget|hash|key field|Gets a field of a hash.
        hgetall|hash|key|Gets all fields of a hash with their values.
        hincrby|hash|key field increment|Adds an integer to a field of a hash.
        hincrbyfloat|hash|key field increment|Adds a fraction to a field of a hash.
        hkeys|hash|key|Gets the names of the fields of a hash.
        hlen|hash|key|Counts the fields of a hash.
        hmget|hash|key field [field ...]|Gets several fields of a hash.
        hmset|hash|key field value [field value ...]|Sets several fields of a hash.
        hrandfield|hash|key [count [WITHVALUES]]|Gets fields of a hash by chance.
        hscan|hash|key cursor [MATCH pattern] [COUNT count]|Goes through the fields of a hash, a piece at a time.
        hset|hash|key field value [field value ...]|Sets fields of a hash.
        hsetnx|hash|key field value|Sets a field of a hash if it does not exist.
        hstrlen|hash|key field|Gets the length of a field's value in bytes.
        hvals|hash|key|Gets the values of a hash.
        lindex|list|key index|Gets an element of a list by its place.
        linsert|list|key BEFORE|AFTER pivot element|Puts an element beside another one.
        llen|list|key|Counts the elements of a list.
        lmove|list|source destination LEFT|RIGHT LEFT|RIGHT|Moves an element from an end of a list to an end of another.
        lmpop|list|numkeys key [key ...] LEFT|RIGHT [COUNT count]|Takes elements from the first list that has any.
        lpop|list|key [count]|Takes elements from the left end of a list.
        lpos|list|key element [RANK rank] [COUNT count] [MAXLEN length]|Finds the place of an element in a list.
        lpush|list|key element [element ...]|Puts elements at the left end of a list.
        lpushx|list|key element [element ...]|Puts elements at the left end of a list that exists.
        lrange|list|key start stop|Gets a range of a list.
        lrem|list|key count element|Removes elements from a list.
        lset|list|key index element|Sets an element of a list by its place.
        ltrim|list|key start stop|Keeps only a range of a list.
        rpop|list|key [count]|Takes elements from the right end of a list.
        rpoplpush|list|source destination|Moves the last element of a list to the front of another.
        rpush|list|key element [element ...]|Puts elements at the right end of a list.
        rpushx|list|key element [element ...]|Puts elements at the right end of a list that exists.
        sadd|set|key member [member ...]|Adds members to a set.
        scard|set|key|Counts the members of a set.
        sdiff|set|key [key ...]|Gets what a set has and the others have not.
        sdiffstore|set|destination key [key ...]|Stores what a set has and the others have not.
        sinter|set|key [key ...]|Gets what all sets have.
        sintercard|set|numkeys key [key ...] [LIMIT limit]|Counts what all sets have.
        sinterstore|set|destination key [key ...]|Stores what all sets have.
        sismember|set|key member|Tells whether a set has a member.
        smembers|set|key|Gets all members of a set.
        smismember|set|key member [member ...]|Tells of several members whether a set has them.
        smove|set|source destination member|Moves a member from one set to another.
        spop|set|key [count]|Takes members from a set by chance.
        srandmember|set|key [count]|Gets members of a set by chance.
        srem|set|key member [member ...]|Removes members from a set.
        sscan|set|key cursor [MATCH pattern] [COUNT count]|Goes through the members of a set, a piece at a time.
        sunion|set|key [key ...]|Gets what any of the sets has.
        sunionstore|set|destination key [key ...]|Stores what any of the sets has.
        zadd|sorted-set|key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]|
            Adds members with scores, or changes their scores.
        zcard|sorted-set|key|Counts the members of a sorted set.
        zcount|sorted-set|key min max|Counts the members within a range of scores.
        zdiff|sorted-set|numkeys key [key ...] [WITHSCORES]|Gets what a sorted set has and the others have not.
        zdiffstore|sorted-set|destination numkeys key [key ...]|Stores what a sorted set has and the others have not.
        zincrby|sorted-set|key increment member|Adds to the score of a member.
        zinter|sorted-set|numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]|
            Gets what all sorted sets have.
        zintercard|sorted-set|numkeys key [key ...] [LIMIT limit]|Counts what all sorted sets have.
        zinterstore|sorted-set|destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX]|
            Stores what all sorted sets have.
        zlexcount|sorted-set|key min max|Counts the members within a range of names.
        zmpop|sorted-set|numkeys key [key ...] MIN|MAX [COUNT count]|
            Takes members from the first sorted set that has any.
        zmscore|sorted-set|key member [member ...]|Gets the scores of several members.
        zpopmax|sorted-set|key [count]|Takes the members with the highest scores.
        zpopmin|sorted-set|key [count]|Takes the members with the lowest scores.
        zrandmember|sorted-set|key [count [WITHSCORES]]|Gets members of a sorted set by chance.
        zrange|sorted-set|key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]|
            Gets a range of a sorted set.
        zrangebylex|sorted-set|key min max [LIMIT offset count]|Gets the members within a range of names.
        zrangebyscore|sorted-set|key min max [WITHSCORES] [LIMIT offset count]|
            Gets the members within a range of scores.
        zrangestore|sorted-set|destination source min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]|
            Stores a range of a sorted set.
        zrank|sorted-set|key member|Gets the place of a member, from the lowest score.
        zrem|sorted-set|key member [member ...]|Removes members from a sorted set.
        zremrangebylex|sorted-set|key min max|Removes the members within a range of names.
        zremrangebyrank|sorted-set|key start stop|Removes the members within a range of places.
        zremrangebyscore|sorted-set|key min max|Removes the members within a range of scores.
        zrevrange|sorted-set|key start stop [WITHSCORES]|Gets a range of places, from the highest score.
        zrevrangebylex|sorted-set|key max min [LIMIT offset count]|Gets the members within a range of names, backwards.
        zrevrangebyscore|sorted-set|key max min [WITHSCORES] [LIMIT offset count]|
            Gets the members within a range of scores, backwards.
        zrevrank|sorted-set|key member|Gets the place of a member, from the highest score.
        zscan|sorted-set|key cursor [MATCH pattern] [COUNT count]|
            Goes through the members with their scores, a piece at a time.
        zscore|sorted-set|key member|Gets the score of a member.
        zunion|sorted-set|numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]|
            Gets what any of the sorted sets has.
        zunionstore|sorted-set|destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX]|
            Stores what any of the sorted sets has.
        geoadd|geo|key [NX|XX] [CH] longitude latitude member [longitude latitude member ...]|
            Adds members with their places.
        geodist|geo|key member1 member2 [M|KM|FT|MI]|Gets the distance between two members.
        geohash|geo|key [member ...]|Gets the geohashes of members.
        geopos|geo|key [member ...]|Gets the places of members.
        geosearch|geo|key FROMMEMBER|FROMLONLAT member|longitude [latitude] BYRADIUS|BYBOX radius|width [height]
            M|KM|FT|MI [ASC|DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]|
            Finds the members within a circle or a box.
        geosearchstore|geo|destination source FROMMEMBER|FROMLONLAT member|longitude [latitude] BYRADIUS|BYBOX
            radius|width [height] M|KM|FT|MI [ASC|DESC] [COUNT count [ANY]] [STOREDIST]|
            Stores the members within a circle or a box.
        georadius|geo|key longitude latitude radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
            [ASC|DESC] [STORE key] [STOREDIST key]|Finds the members near a place; GEOSEARCH is its newer form.
        georadius_ro|geo|key longitude latitude radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH]
            [COUNT count [ANY]] [ASC|DESC]|Finds the members near a place; GEOSEARCH is its newer form.
        georadiusbymember|geo|key member radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]]
            [ASC|DESC] [STORE key] [STOREDIST key]|Finds the members near a member; GEOSEARCH is its newer form.
        georadiusbymember_ro|geo|key member radius M|KM|FT|MI [WITHCOORD] [WITHDIST] [WITHHASH]
            [COUNT count [ANY]] [ASC|DESC]|Finds the members near a member; GEOSEARCH is its newer form.
        pfadd|hyperloglog|key [element ...]|Adds elements to a count of different ones.
        pfcount|hyperloglog|key [key ...]|Estimates how many different elements there are.
        pfmerge|hyperloglog|destination [source ...]|Joins counts of different elements.
        json.get|json|key [path ...]|Gets a JSON document, or parts of it.
        json.set|json|key path value [NX|XX]|Sets a JSON document, or a part of it.
        discard|transactions||Forgets the commands of a transaction.
        exec|transactions||Runs the commands of a transaction.
        multi|transactions||Begins a transaction.
        unwatch|transactions||Forgets the keys that are watched.
        watch|transactions|key [key ...]|Lets the next transaction do nothing if these keys have changed.
        auth|connection|[username] password|Passwords are not supported yet: says so.
        client|connection|subcommand [argument ...]|Shows and sets what connections are, and numbers requests.
        consistency|connection|[READ level] [WRITE level]|Sets or shows the connection's read and write levels.
        echo|connection|message|Answers with the message.
        hello|connection|[protover [AUTH username password] [SETNAME name]]|Chooses the version of the protocol.
        ping|connection|[message]|Answers, with the message if there is one.
        quit|connection|[argument ...]|Closes the connection.
        asking|cluster||On the cluster endpoint: answers OK, since no slot is between two nodes.
        readonly|cluster||On the cluster endpoint: reads from replicas, too, what they have.
        readwrite|cluster||On the cluster endpoint: reads from leaders alone.
        reset|connection||Sets the connection back to what a new one is.
        select|connection|index|Chooses a database, 0 to 15, or a keyspace by its name.
        subscribe|pubsub|channel [channel ...]|Listens on the one channel that there is, for StackExchange.Redis.
        unsubscribe|pubsub|[channel ...]|Listens no more.
        move|generic|key db|Refused: a key stays in its keyspace.
        swapdb|server|index1 index2|Refused: databases are keyspaces.
        role|server||Says that this is a master.
        cluster|cluster|subcommand [argument ...]|On the cluster endpoint: who serves which slots.
        command|server|[subcommand [argument ...]]|Tells of the commands that there are.
        config|server|subcommand [argument ...]|Shows settings.
        dbsize|server||Counts the keys of the keyspace.
        flushall|server|[ASYNC|SYNC]|Deletes all keys of the numbered databases and of the keyspace.
        flushdb|server|[ASYNC|SYNC]|Deletes all keys of the keyspace.
        info|server|[section ...]|Shows what this node knows.
        join|server|address|Lets a node that was started with --replica follow the cluster of the node there.
        keyspace|server|subcommand [argument ...]|Creates, alters, drops, chooses, lists and shows keyspaces.
        time|server||Tells the node's wall clock.
        """;

    private static readonly Dictionary<string, CommandDocs> ByName = Lines
        .Replace("\r\n", "\n", StringComparison.Ordinal)
        .Replace("|\n    ", "|", StringComparison.Ordinal)
        .Replace("\n    ", " ", StringComparison.Ordinal)
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .ToDictionary(line => line[..line.IndexOf('|', StringComparison.Ordinal)], Parse, StringComparer.Ordinal);

    /// <summary>How many words a line has at least, the command's name included.</summary>
    public int WordsMin => 1 + Arguments.Sum(argument => argument.WordsMin);

    /// <summary>Of a command, by its name in lower case; null for one that is not described.</summary>
    public static CommandDocs? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The names that are described.</summary>
    public static IEnumerable<string> Names => ByName.Keys.Order(StringComparer.Ordinal);

    /// <param name="syntax">What follows the name.</param>
    public static CommandDocs Of(string group, string summary, string syntax) =>
        new(group, summary, [.. ArgumentsOf(syntax)]);

    private static CommandDocs Parse(string line)
    {
        // The syntax may have bars of its own: the sentence begins behind the last.
        string[] parts = line.Split('|');
        string syntax = string.Join('|', parts[2..^1]);
        return Of(parts[1], parts[^1], syntax);
    }

    private static IEnumerable<CommandArgument> ArgumentsOf(string syntax)
    {
        int depth = 0;
        int from = 0;
        for (int i = 0; i <= syntax.Length; i++)
        {
            bool isEnd = i == syntax.Length || (syntax[i] == ' ' && depth == 0);
            if (isEnd && i > from)
            {
                string text = syntax[from..i];
                string first = text.TrimStart('[').Split(' ', ']', '|')[0];
                yield return new(first.ToLowerInvariant(), text);
            }

            from = isEnd ? i + 1 : from;
            depth += i == syntax.Length ? 0 : syntax[i] switch
            {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
        }
    }
}
