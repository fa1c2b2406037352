using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Server.Disk;

namespace Quorate.Cli.Up;

/// <summary>One node of a local cluster: the process that runs it, and how to start it.</summary>
internal sealed partial class LocalNode : IDisposable
{
    private const int Terminate = 15;

    private readonly Action<LocalNode, string> _said;
    private Process? _process;

    /// <param name="more">Settings that all nodes get.</param>
    /// <param name="said">Is told each line that the node prints.</param>
    public LocalNode(
        int number,
        string folder,
        UpSettings settings,
        IEnumerable<KeyValuePair<string, string>> more,
        Action<LocalNode, string> said)
    {
        _said = said;
        Number = number;
        Folder = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"node-{number}"));
        RespPort = settings.RespPort + number - 1;
        HttpPort = settings.HttpPort + number - 1;
        PeerPort = settings.PeerPort + number - 1;
        ClusterPort = settings.ClusterPort == 0 ? 0 : settings.ClusterPort + number - 1;
        Zone = settings.ZoneOf(number);
        string seeds = string.Join(',', Enumerable.Range(0, settings.Nodes).Select(i => Local(settings.PeerPort + i)));
        Settings =
        [
            new("data", Folder),
            new("resp-port", Text(RespPort)),
            new("http-port", Text(HttpPort)),
            new("peer-port", Text(PeerPort)),
            new("zone", Zone),
            new("seeds", seeds),
            new("expect", Text(settings.Nodes)),
            .. ClusterPort == 0 ? [] : (KeyValuePair<string, string>[])[new("cluster-port", Text(ClusterPort))],
            .. more,
        ];
        Arguments = ["serve", .. Settings.SelectMany(setting => (string[])["--" + setting.Key, setting.Value])];
    }

    /// <summary>What it is started with, by name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; }

    /// <summary>From 1.</summary>
    public int Number { get; }

    public string Folder { get; }

    public string Zone { get; }

    public int RespPort { get; }

    public int HttpPort { get; }

    public int PeerPort { get; }

    /// <summary>Zero for none.</summary>
    public int ClusterPort { get; }

    /// <summary>Of the command line that starts it.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <summary>Its folder is there and says that it belongs to a cluster.</summary>
    public bool IsFormed
    {
        get
        {
            string path = Path.Combine(Folder, NodeIdentity.FileName);
            return File.Exists(path) && NodeIdentity.Decode(File.ReadAllBytes(path), path, out _) is { IsFormed: true };
        }
    }

    public int ProcessId => _process?.Id ?? 0;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>What it printed last, in this life of it; empty before its first line.</summary>
    public string LastLine { get; private set; } = "";

    /// <summary>How it ended; null while it runs or before it was started.</summary>
    public int? ExitCode => _process is { HasExited: true } ended ? ended.ExitCode : null;

    public void Start()
    {
        _process?.Dispose();
        LastLine = "";
        var start = new ProcessStartInfo(Executable.Path)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (string argument in Executable.FirstArguments.Concat(Arguments))
        {
            start.ArgumentList.Add(argument);
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Said(line.Data);
        _process.ErrorDataReceived += (_, line) => Said(line.Data);
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>
    /// The process of this node that somebody else has started, by the word of its folder; null when there is none.
    /// </summary>
    public int? ForeignProcess
    {
        get
        {
            string path = Path.Combine(Folder, "pid");
            if (IsRunning
                || !File.Exists(path)
                || !int.TryParse(File.ReadAllText(path).Trim(), CultureInfo.InvariantCulture, out int process))
            {
                return null;
            }

            try
            {
                using var found = Process.GetProcessById(process);
                return found.HasExited || !IsQuorate(process) ? null : process;
            }
            catch (ArgumentException)
            {
                return null;
            }
        }
    }

    /// <summary>The `quorate up` that has started that process; null when there is none, or none any more.</summary>
    public int? ForeignUp
    {
        get
        {
            if (ForeignProcess is not { } process)
            {
                return null;
            }

            try
            {
                // "pid (name) state parent ...": the name may hold anything, so from the last bracket on.
                string text = File.ReadAllText(Of(process, "stat"));
                string[] words = text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                int parent = int.Parse(words[1], CultureInfo.InvariantCulture);
                return IsQuorate(parent) && File.ReadAllText(Of(parent, "cmdline")).Split('\0').Contains("up")
                    ? parent
                    : null;
            }
            catch (IOException)
            {
                // It has ended meanwhile.
                return null;
            }
        }
    }

    /// <summary>Asks it to end well, also when somebody else has started it again.</summary>
    public void Stop()
    {
        if (!OperatingSystem.IsWindows() && (IsRunning ? ProcessId : ForeignProcess) is { } process)
        {
            _ = Kill(process, Terminate);
        }
    }

    /// <summary>Waits for its end; false when it has not come in time.</summary>
    public async Task<bool> WaitForEnd(TimeSpan time)
    {
        using var limit = new CancellationTokenSource(time);
        try
        {
            await (_process?.WaitForExitAsync(limit.Token) ?? Task.CompletedTask).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void KillNow()
    {
        if (IsRunning)
        {
            _process!.Kill();
        }
    }

    public void Dispose() => _process?.Dispose();

    private static string Of(int process, string file) =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/{file}");

    /// <summary>Process ids are used again: what runs under it now may be anything.</summary>
    private static bool IsQuorate(int process)
    {
        string path = Of(process, "cmdline");
        return File.Exists(path) && File.ReadAllText(path).Contains("quorate", StringComparison.Ordinal);
    }

    private static string Local(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Said(string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            LastLine = line;
            _said(this, line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
