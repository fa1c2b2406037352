using System.CommandLine;
using Quorate.Cli.Resp;
using Spectre.Console;

namespace Quorate.Cli.Shell;

/// <summary>
/// `quorate shell`: a prompt on a node's Redis port at a terminal; else it runs the lines that it is given.
/// </summary>
internal static class ShellCommand
{
    private const string AddressUnlessSaid = "127.0.0.1:7401";

    /// <summary>Into a file nothing is wrapped.</summary>
    private const int ColumnsOfFiles = 1_000_000;

    public static Command Create(TextWriter errors)
    {
        var address = new Argument<string>("address")
        {
            Description = "A node's Redis port: host:port, or a port of this machine.",
            DefaultValueFactory = _ => AddressUnlessSaid,
            HelpName = "host:port",
        };
        var shell = new Command(
            "shell",
            "Type commands to a node, or pipe them in, one a line. Exit code 0: all were done; 1: one that was piped "
                + "in was answered with an error; 69: no node can be reached, or the connection was lost.")
        {
            address,
        };
        shell.SetAction(parsed => (int)Run(parsed.GetValue(address)!, errors));
        return shell;
    }

    private static ExitCode Run(string address, TextWriter errors)
    {
        if (RespLink.Open(address, out string problem) is not { } link)
        {
            errors.WriteLine($"quorate shell: {problem}");
            return RespLink.TrySplit(address, out _, out _) ? ExitCode.Unavailable : ExitCode.Usage;
        }

        bool isTerminal = !Console.IsInputRedirected && !Console.IsOutputRedirected;
        IAnsiConsole tables = isTerminal ? AnsiConsole.Console : Screen.Plain(ColumnsOfFiles);
        try
        {
            using var session = new ShellSession(link, Console.Out, new ReplyText(Console.Out, tables));
            return isTerminal ? Talk(session, link) : RunAll(session, Console.In);
        }
        catch (Exception e) when (RespLink.IsOver(e))
        {
            errors.WriteLine($"quorate shell: the connection to {address} is over: {e.Message}.");
            return ExitCode.Unavailable;
        }
    }

    private static ExitCode RunAll(ShellSession session, TextReader lines)
    {
        ExitCode code = ExitCode.Ok;
        while (lines.ReadLine() is { } line)
        {
            switch (session.Run(line))
            {
                case ShellOutcome.Exit:
                    return code;
                case ShellOutcome.Lost:
                    return ExitCode.Unavailable;
                case ShellOutcome.Failed:
                    code = ExitCode.Failed;
                    break;
            }
        }

        return code;
    }

    private static ExitCode Talk(ShellSession session, RespLink link)
    {
        Console.WriteLine($"Connected to {session.Server} at {link.Address}.");
        Console.WriteLine(
            "PUT key value, GET key, JOIN host:port, EXIT; any command of Redis; HELP, and Tab to complete.");
        using var prompt = new ShellPrompt(link.Address);
        var completion = new ShellCompletion(session.CommandNames());
        var editor = new LineEditor(Console.Out, new LineHistory(LineHistory.FileOfUser), completion.Of);
        while (true)
        {
            string text = prompt.Of(session.Connection);
            Console.TreatControlCAsInput = true;
            string? line = editor.Read(text);

            // While a command runs, Ctrl-C ends the shell.
            Console.TreatControlCAsInput = false;
            switch (line is null ? ShellOutcome.Exit : session.Run(line))
            {
                case ShellOutcome.Exit:
                    return ExitCode.Ok;
                case ShellOutcome.Lost:
                    return ExitCode.Unavailable;
            }
        }
    }
}
