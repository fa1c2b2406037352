using Quorate.Cli.Resp;

namespace Quorate.Cli.Shell;

/// <summary>
/// Makes the prompt: `primary>` or `replica>` where the connection's keyspace has one partition, after what the node is
/// to it, else `keyspace@host:port>`. It asks on a connection of its own, so that it changes nothing of the shell's:
/// neither a transaction nor a number that the next request is to have.
/// </summary>
internal sealed class ShellPrompt(string address) : IDisposable
{
    private RespLink? _link;
    private string _keyspace = "";

    /// <param name="connection">The number of the shell's own connection.</param>
    public string Of(string connection)
    {
        try
        {
            _link ??= RespLink.Open(address, out _);
            return _link is null ? $"{address}> " : Of(_link, connection);
        }
        catch (Exception e) when (RespLink.IsOver(e))
        {
            _link?.Dispose();
            (_link, _keyspace) = (null, "");
            return $"{address}> ";
        }
    }

    public void Dispose() => _link?.Dispose();

    private string Of(RespLink link, string connection)
    {
        RespValue listed = link.Call("CLIENT", "LIST", "ID", connection);
        Dictionary<string, string> fields = listed.IsError ? [] : FieldsOf(listed.Text);
        if (!fields.TryGetValue("keyspace", out string? keyspace))
        {
            // No node of Quorate, or another one behind the same address.
            return $"{address}> ";
        }

        string transaction = fields.GetValueOrDefault("multi", "-1") == "-1" ? "" : "(multi)";
        if (keyspace != _keyspace)
        {
            _keyspace = link.Call("KEYSPACE", "USE", keyspace).IsError ? "" : keyspace;
        }

        string? role = _keyspace.Length > 0 && link.Call("KEYSPACE", "INFO")["partitions"] == "1"
            ? link.Call("KEYSPACE", "WHERE", "")["role"]
            : null;
        return role is "primary" or "replica"
            ? $"{role}{transaction}> "
            : $"{keyspace}@{address}{transaction}> ";
    }

    private static Dictionary<string, string> FieldsOf(string line)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string field in line.TrimEnd('\n', '\r').Split(' '))
        {
            int equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                fields[field[..equals]] = field[(equals + 1)..];
            }
        }

        return fields;
    }
}
