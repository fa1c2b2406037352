using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Server.Runtime;
using Quorate.Server.Settings;

namespace Quorate.Cli;

/// <summary>`quorate serve`: one node, in this process.</summary>
internal static class ServeCommand
{
    /// <summary>Within this a second signal is taken for an echo of the first: some programs send each twice.</summary>
    private static readonly TimeSpan Echo = TimeSpan.FromSeconds(1);

    public static Command Create(TextWriter errors)
    {
        var command = new Command(
            "serve",
            "Runs one node. A first start needs --data and --seeds (or --join); later ones --data alone. Settings come "
                + "from flags, QUORATE_* in the environment, and quorate.json, in this order.");
        var config = new Option<string?>("--config")
        {
            Description = "The file of settings (default: quorate.json in this folder, when it is there).",
            HelpName = "FILE",
        };
        command.Options.Add(config);
        Dictionary<Setting, Option> options = [];
        foreach (Setting setting in SettingTable.All)
        {
            string description = $"{setting.Text} [{setting.Unit}; default: {setting.Default}]";
            Option option = setting.Value is null
                ? new Option<bool>("--" + setting.Name) { Description = description }
                : new Option<string>("--" + setting.Name) { Description = description, HelpName = setting.Value };
            options.Add(setting, option);
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, _) =>
        {
            List<KeyValuePair<string, string>> flags = [];
            foreach ((Setting setting, Option option) in options)
            {
                if (parsed.GetResult(option) is { Implicit: false })
                {
                    string value = option is Option<bool> flag
                        ? parsed.GetValue(flag).ToString()
                        : parsed.GetValue((Option<string>)option)!;
                    flags.Add(new(setting.Name, value));
                }
            }

            ServerSettings? settings = SettingsReader.Read(
                flags, Environment.GetEnvironmentVariables(), parsed.GetValue(config), out string problem);
            if (settings is null)
            {
                errors.WriteLine("quorate: " + problem);
                return (int)ExitCode.Usage;
            }

            return (int)await Serve(settings).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<ExitCode> Serve(ServerSettings settings)
    {
        long toldAt = 0;
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var lines = new EventLines(StandardStream.Error.Write);

        // It holds for the whole process, so it is for the process to say, not for the node within it.
        MemoryPlan memory = MemoryPlan.For(settings.MemoryBytes);
        memory.BoundCollector();
        ProcessEnd.Watch(memory);
        (NodeProcess? process, ExitCode code, string problem) = await NodeProcess.Start(
            settings, lines.Say, ProcessEnd.Now).ConfigureAwait(false);
        if (process is null)
        {
            lines.Say("quorate: " + problem);
            return code;
        }

        string addresses = string.Create(
            CultureInfo.InvariantCulture,
            $"RESP on {settings.RespAddress}, HTTP on {settings.HttpAddress}, peers on {settings.PeerAddress}");
        lines.Say($"quorate: {addresses}; memory {process.Facts.Memory}.");
        await told.Task.ConfigureAwait(false);
        lines.Say("quorate: stopping.");
        await process.Stop().ConfigureAwait(false);
        lines.Say("quorate: stopped.");
        return ExitCode.Ok;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            bool isFirst = Interlocked.CompareExchange(ref toldAt, Stopwatch.GetTimestamp(), 0) == 0;
            if (isFirst)
            {
                told.SetResult();
            }
            else if (Stopwatch.GetElapsedTime(toldAt) > Echo)
            {
                ProcessEnd.Now(ExitCode.Interrupted, "Told twice to stop, so it leaves at once.");
            }
        }
    }
}
