using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp.Commands;

/// <summary>CONFIG GET and SET of what exists here, under Redis's names where Redis has one.</summary>
internal static class ConfigCommands
{
    public static readonly EdgeCommand[] All =
    [
        new("CONFIG", -2, EdgeHabits.Queued, Run)
        {
            QueueProblem = (_, line) => Subcommands.Problem(line, "CONFIG"),
        },
    ];

    /// <summary>A longer word matches nothing.</summary>
    private const int PatternBytesMax = 64;

    private static readonly Parameter[] Parameters =
    [
        new("appendonly", _ => "yes"),
        new("timeout", _ => "0"),
        new("databases", _ => NumberedDatabase.Count.ToString(CultureInfo.InvariantCulture)),
        new("dir", shared => shared.Node.DataFolder),
        new("port", shared => Text(shared.Node.Port)),
        new("save", _ => ""),
        new("maxmemory", shared => Text(shared.Node.Memory?.Invoke().Max ?? 0)),
        new("maxmemory-policy", _ => "noeviction"),
        new("proto-max-bulk-len", shared => Text(shared.Settings.Limits.WordBytesMax)),
        new("client-query-buffer-limit", shared => Text(shared.Settings.Limits.CommandBytesMax)),
        new("maxclients", shared => Text(shared.Settings.ConnectionsMax), 1, 1_000_000,
            (settings, value) => settings with { ConnectionsMax = (int)value }),
        new("request-deadline-ms", shared => Text(shared.Settings.RequestDeadlineMilliseconds), 1, 3_600_000,
            (settings, value) => settings with { RequestDeadlineMilliseconds = (int)value }),
        new("reply-stall-ms", shared => Text(shared.Settings.ReplyStallMilliseconds), 1, 3_600_000,
            (settings, value) => settings with { ReplyStallMilliseconds = (int)value }),
    ];

    private static void Run(RespRequest request)
    {
        if (Subcommands.TryAnswer(request, "CONFIG"))
        {
            return;
        }

        ReadOnlySpan<byte> name = request.Line[1];
        if (CommandNames.Is(name, "GET"))
        {
            Get(request);
        }
        else if (CommandNames.Is(name, "SET"))
        {
            Set(request);
        }
        else if (CommandNames.Is(name, "REWRITE"))
        {
            request.Error("ERR The server is running without a config file: settings stand in quorate.json, QUORATE_* "
                + "and flags");
        }
        else
        {
            request.Connection.Shared.Stats.Reset(request.Connection.Shared.Counters);
            request.Ok();
        }
    }

    private static void Get(RespRequest request)
    {
        CommandLine line = request.Line;
        RespShared shared = request.Connection.Shared;
        Parameter[] found = [.. Parameters.Where(parameter => IsAskedFor(line, parameter.Name))];
        request.Finish(Replies.Of(reply =>
        {
            reply.Map(found.Length);
            foreach (Parameter parameter in found)
            {
                reply.Bulk(Encoding.ASCII.GetBytes(parameter.Name));
                reply.Bulk(Encoding.UTF8.GetBytes(parameter.Get(shared)));
            }
        }));
    }

    private static bool IsAskedFor(CommandLine line, string name)
    {
        byte[] text = Encoding.ASCII.GetBytes(name);
        for (int word = 2; word < line.Count; word++)
        {
            // Names are in small letters, and asked for in any.
            byte[] pattern = line[word][..Math.Min(line[word].Length, PatternBytesMax)].ToArray();
            Ascii.ToLowerInPlace(pattern, out _);
            if (line[word].Length <= PatternBytesMax && new GlobPattern(pattern).Matches(text))
            {
                return true;
            }
        }

        return false;
    }

    private static void Set(RespRequest request)
    {
        CommandLine line = request.Line;
        if (line.Count % 2 != 0)
        {
            request.Error(EdgeCommands.WrongArguments("config|set"));
            return;
        }

        RespShared shared = request.Connection.Shared;
        RespSettings settings = shared.Settings;
        for (int word = 2; word < line.Count; word += 2)
        {
            string name = Encoding.Latin1.GetString(line[word][..Math.Min(line[word].Length, 64)]);
            Parameter? parameter =
                Array.Find(Parameters, each => string.Equals(each.Name, name, StringComparison.OrdinalIgnoreCase));
            if (parameter is null)
            {
                request.Error($"ERR Unknown option or number of arguments for CONFIG SET - '{name}'");
                return;
            }

            if (parameter.With is not { } with)
            {
                request.Error($"ERR CONFIG SET failed (possibly related to argument '{parameter.Name}') - can't set "
                    + "immutable config");
                return;
            }

            ReadOnlySpan<byte> text = line[word + 1];
            if (!Utf8Parser.TryParse(text, out long value, out int length) || length != text.Length
                || value < parameter.Min || value > parameter.Max)
            {
                request.Error($"ERR CONFIG SET failed (possibly related to argument '{parameter.Name}') - argument "
                    + $"must be between {parameter.Min} and {parameter.Max} inclusive");
                return;
            }

            settings = with(settings, value);
        }

        shared.Settings = settings;
        request.Ok();
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <param name="With">Null for one that cannot be changed while the node runs.</param>
    private sealed record Parameter(
        string Name,
        Func<RespShared, string> Get,
        long Min = 0,
        long Max = 0,
        Func<RespSettings, long, RespSettings>? With = null);
}
