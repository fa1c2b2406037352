using System.Diagnostics;
using System.Text;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// A program at a terminal of its own (a pseudo-terminal, by util-linux's `script`), and what that shows.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _shown = new();
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _more = new(0);
    private int _seen;

    /// <param name="home">Of the user, for what the program keeps of him.</param>
    public Terminal(string home, params string[] words)
    {
        Tools.SkipWithout("script", "stty");
        string command = $"stty rows 30 cols 100; exec {string.Join(' ', words)}";
        var start = new ProcessStartInfo("script", ["-qfec", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["TERM"] = "xterm";
        start.Environment["HOME"] = home;
        start.Environment.Remove("XDG_DATA_HOME");
        _process = Process.Start(start)!;
        _ = Task.Run(Read);
    }

    /// <summary>What was shown since the last time something was waited for.</summary>
    public string Since
    {
        get
        {
            lock (_lock)
            {
                return _shown.ToString(_seen, _shown.Length - _seen);
            }
        }
    }

    public void Type(string keys)
    {
        _process.StandardInput.Write(keys);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits until this is shown, after what was waited for before; what was shown until then.</summary>
    public async Task<string> UntilShows(string text)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            lock (_lock)
            {
                string since = _shown.ToString(_seen, _shown.Length - _seen);
                int at = since.IndexOf(text, StringComparison.Ordinal);
                if (at >= 0)
                {
                    _seen += at + text.Length;
                    return since[..(at + text.Length)];
                }
            }

            Assert.True(clock.Elapsed < Soon.Patience, $"'{text}' is not shown, but: {Since}");
            await _more.WaitAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Types a line and waits for its answer, and for the next prompt.</summary>
    public async Task Say(string line, string answer, string prompt)
    {
        Type(line + "\r");
        await UntilShows("\r\n" + answer + "\r\n");
        await UntilShows(prompt);
    }

    public int WaitForEnd()
    {
        Assert.True(_process.WaitForExit(Soon.Patience), $"it does not end, and shows: {Since}");
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
        _more.Dispose();
    }

    private async Task Read()
    {
        char[] some = new char[4096];
        int count;
        while ((count = await _process.StandardOutput.ReadAsync(some)) > 0)
        {
            lock (_lock)
            {
                _shown.Append(some, 0, count);
            }

            _more.Release();
        }
    }
}
