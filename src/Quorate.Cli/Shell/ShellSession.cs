using System.Text;
using Quorate.Cli.Resp;

namespace Quorate.Cli.Shell;

/// <summary>How a line has ended.</summary>
internal enum ShellOutcome
{
    /// <summary>It was answered.</summary>
    Done,

    /// <summary>It was answered with an error, or could not be understood.</summary>
    Failed,

    /// <summary>The connection is over, and there is no other.</summary>
    Lost,

    /// <summary>The shell is to end.</summary>
    Exit,
}

/// <summary>
/// Runs the lines of a shell on one connection. Words that are the shell's own (PUT, JOIN, EXIT, HELP, and GET's
/// answer) are handled here; all else goes to the node as it is.
/// </summary>
internal sealed class ShellSession : IDisposable
{
    /// <summary>A node that follows nobody yet says so; it has no keys.</summary>
    private const string UnjoinedError = "CLUSTERDOWN this node belongs to no cluster";

    private readonly TextWriter _output;
    private readonly ReplyText _replies;
    private RespLink _link;

    public ShellSession(RespLink link, TextWriter output, ReplyText replies)
    {
        _output = output;
        _replies = replies;
        _link = Prepared(link);
    }

    /// <summary>The number of the connection on its node; empty when it has none.</summary>
    public string Connection { get; private set; } = "";

    /// <summary>What is at the other end, in words.</summary>
    public string Server
    {
        get
        {
            Dictionary<string, string> fields = FieldsOf(_link);
            return fields.TryGetValue("quorate_version", out string? version)
                ? $"node {fields.GetValueOrDefault("node_id")} (Quorate {version})"
                : $"a server that is no node of Quorate ({_link.Greeting["server"]} {_link.Greeting["version"]})";
        }
    }

    /// <summary>What the shell can complete.</summary>
    public IEnumerable<string> CommandNames()
    {
        RespValue names = _link.Call("COMMAND", "LIST");
        return names.Items.Select(name => name.Text).Concat(["PUT", "JOIN", "EXIT", "HELP"]);
    }

    public ShellOutcome Run(string line)
    {
        if (ShellWords.Split(line, out string problem) is not { } words)
        {
            _output.WriteLine($"(error) {problem}");
            return ShellOutcome.Failed;
        }

        if (words.Count == 0)
        {
            return ShellOutcome.Done;
        }

        try
        {
            return Run(words);
        }
        catch (Exception e) when (RespLink.IsOver(e))
        {
            return Reconnect(e.Message);
        }
    }

    public void Dispose() => _link.Dispose();

    private ShellOutcome Run(List<byte[]> words)
    {
        string name = Encoding.UTF8.GetString(words[0]).ToUpperInvariant();
        switch (name)
        {
            case "EXIT":
            case "QUIT":
                return ShellOutcome.Exit;
            case "HELP":
                return Help(words);
            case "JOIN" when words.Count == 2:
                return Join(Encoding.UTF8.GetString(words[1]));
            case "PUT" when words.Count < 3:
                _output.WriteLine("(error) PUT takes a key and a value, and after them what SET takes.");
                return ShellOutcome.Failed;
            case "PUT":
                return Put(words);
            case "GET" when words.Count == 2:
                return Get(words);
            case "CLIENT" when words.Count > 1 && IsWord(words[1], "REPLY"):
                _output.WriteLine("(error) The shell waits for each answer, so it cannot do without them.");
                return ShellOutcome.Failed;
            default:
                return Show(_link.Call(words));
        }
    }

    private ShellOutcome Put(List<byte[]> words)
    {
        words[0] = "SET"u8.ToArray();
        RespValue reply = _link.Call(words);
        if (reply.Kind != RespKind.Simple || reply.Text != "OK")
        {
            return Show(reply);
        }

        _output.WriteLine($"OK {ShellWords.Show(words[1])} = {ShellWords.Show(words[2])}");
        return ShellOutcome.Done;
    }

    private ShellOutcome Get(List<byte[]> words)
    {
        RespValue reply = _link.Call(words);
        string? value = reply.Kind switch
        {
            RespKind.Null => "Not found",
            RespKind.Error when reply.Text.StartsWith(UnjoinedError, StringComparison.Ordinal) => "Not found",
            RespKind.Text => ShellWords.Show(reply.Bytes),
            _ => null,
        };
        if (value is null)
        {
            return Show(reply);
        }

        _output.WriteLine($"{ShellWords.Show(words[1])} -> {value}");
        return ShellOutcome.Done;
    }

    /// <summary>
    /// People know a node by its Redis port as well as by that for the other nodes, which is the one that counts.
    /// </summary>
    private ShellOutcome Join(string address)
    {
        using (RespLink? there = RespLink.Open(address, out _))
        {
            address = there is not null && FieldsOf(there).TryGetValue("peer_address", out string? peer)
                && peer.Length > 0 ? peer : address;
        }

        RespValue reply = _link.Call("JOIN", address);
        if (reply.IsError)
        {
            return Show(reply);
        }

        _output.WriteLine("Snapshot received");
        return ShellOutcome.Done;
    }

    private static Dictionary<string, string> FieldsOf(RespLink link) =>
        link.Call("INFO", "server").Text.Split('\n')
            .Select(line => line.TrimEnd('\r').Split(':', 2))
            .Where(parts => parts.Length == 2)
            .DistinctBy(parts => parts[0], StringComparer.Ordinal)
            .ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);

    private ShellOutcome Help(List<byte[]> words)
    {
        if (words.Count == 1)
        {
            _output.WriteLine("PUT key value        sets a string, GET key gets it");
            _output.WriteLine("any command of Redis goes to the node as it is; HELP name describes one");
            _output.WriteLine("KEYSPACE HELP        what else this node can be told and asked");
            _output.WriteLine("JOIN host:port       a node started with --replica follows that node's cluster");
            _output.WriteLine("EXIT                 or Ctrl-D ends the shell");
            return ShellOutcome.Done;
        }

        string asked = string.Join('|', words.Skip(1).Select(Encoding.UTF8.GetString));
        RespValue docs = _link.Call("COMMAND", "DOCS", asked);
        if (docs.Kind != RespKind.Map || docs.Items.Length < 2)
        {
            _output.WriteLine($"(error) There is no command {ShellWords.Show(Encoding.UTF8.GetBytes(asked))}.");
            return ShellOutcome.Failed;
        }

        RespValue found = docs.Items[1];
        string arguments = string.Join(' ', Field(found, "arguments").Items
            .Select(argument => argument["display_text"] ?? argument["name"]));
        _output.WriteLine($"{docs.Items[0].Text.ToUpperInvariant().Replace('|', ' ')} {arguments}".TrimEnd());
        _output.WriteLine(found["summary"]);
        return ShellOutcome.Done;
    }

    private static RespValue Field(RespValue map, string name) =>
        map.Items.Chunk(2).FirstOrDefault(pair => pair[0].Text == name)?[1] ?? RespValue.Null;

    private ShellOutcome Show(RespValue reply)
    {
        _replies.Write(reply);
        return reply.IsError ? ShellOutcome.Failed : ShellOutcome.Done;
    }

    /// <summary>
    /// Nothing is sent a second time: what became of the line is not known. A new connection begins as any does.
    /// </summary>
    private ShellOutcome Reconnect(string why)
    {
        _output.WriteLine($"(error) The connection to {_link.Address} broke ({why.TrimEnd('.')}): what was asked last "
            + "may have been done, or not.");
        _link.Dispose();
        if (RespLink.Open(_link.Address, out string problem) is not { } link)
        {
            _output.WriteLine($"(error) {problem}");
            return ShellOutcome.Lost;
        }

        try
        {
            _link = Prepared(link);
            _output.WriteLine("Connected again: with the keyspace, the levels and no transaction of a new connection.");
            return ShellOutcome.Failed;
        }
        catch (Exception e) when (RespLink.IsOver(e))
        {
            return ShellOutcome.Lost;
        }
    }

    private RespLink Prepared(RespLink link)
    {
        RespValue id = link.Call("CLIENT", "ID");
        Connection = id.Kind == RespKind.Number ? id.Text : "";
        link.Pushed = push => _replies.Write(push);
        return link;
    }

    private static bool IsWord(byte[] word, string text) =>
        string.Equals(Encoding.UTF8.GetString(word), text, StringComparison.OrdinalIgnoreCase);
}
