using System.Globalization;
using Microsoft.AspNetCore.Http;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// What a client has seen of partitions, as it carries it from request to request: HTTP has no connection that could
/// remember. The header `Quorate-Seen` of an answer names the partitions of that request, as `group:term:index` with
/// commas between; sent back, it makes reads at level `session` see at least as much.
/// </summary>
internal sealed class SeenTokens
{
    public const string Header = "Quorate-Seen";

    /// <summary>Partitions that one header names.</summary>
    private const int TokensMax = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<GroupId, ReadToken> _before = [];
    private readonly SortedDictionary<uint, ReadToken> _now = [];

    /// <exception cref="ProblemException">The header is none that was answered.</exception>
    public static SeenTokens Of(HttpRequest request)
    {
        var seen = new SeenTokens();
        string[] tokens = request.Headers[Header].ToString().Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string token in tokens)
        {
            string[] parts = token.Split(':');
            if (tokens.Length > TokensMax || parts.Length != 3
                || !uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint group)
                || !ulong.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong term)
                || !ulong.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out ulong index))
            {
                throw new ProblemException(Problem.Invalid(
                    $"{Header} is what answers said there, at most {TokensMax} of them with commas between."));
            }

            var read = new ReadToken(new(term), new(index));
            seen._before[new(group)] = seen._before.TryGetValue(new(group), out ReadToken other)
                ? Later(other, read)
                : read;
        }

        return seen;
    }

    public ReadToken Of(GroupId group) =>
        Guards.SessionReadsOweTheirToken ? _before.GetValueOrDefault(group) : default;

    public void Note(GroupId group, ReadToken token)
    {
        lock (_gate)
        {
            _now[group.Value] = _now.TryGetValue(group.Value, out ReadToken other) ? Later(other, token) : token;
        }
    }

    /// <summary>Tells the client what its request has seen.</summary>
    public void Tell(HttpResponse response)
    {
        lock (_gate)
        {
            if (_now.Count > 0)
            {
                response.Headers[Header] = string.Join(", ", _now.Take(TokensMax).Select(each => string.Create(
                    CultureInfo.InvariantCulture, $"{each.Key}:{each.Value.Term.Value}:{each.Value.Index.Value}")));
            }
        }
    }

    private static ReadToken Later(ReadToken a, ReadToken b) => b.Index > a.Index ? b : a;
}
