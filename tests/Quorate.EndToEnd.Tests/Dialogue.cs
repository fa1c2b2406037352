using System.Collections.Concurrent;
using System.Diagnostics;

namespace Quorate.EndToEnd.Tests;

/// <summary>A program whose lines are waited for.</summary>
internal sealed class Dialogue : IDisposable
{
    private readonly Process _process;
    private readonly BlockingCollection<string> _lines = [];
    private readonly List<string> _heard = [];

    public Dialogue(string[] words)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(words[0], words[1..])
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += (_, line) => _lines.Add(line.Data ?? "(its output ends)");
        _process.ErrorDataReceived += (_, line) => _lines.Add(line.Data ?? "");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The lines that were waited for, and those before them.</summary>
    public IReadOnlyList<string> Heard => _heard;

    public void Say(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for a line.</summary>
    public void Expect(string wanted)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Soon.Patience && _lines.TryTake(out string? line, Soon.Patience))
        {
            _heard.Add(line);
            if (line == wanted)
            {
                return;
            }

            if (line == "(its output ends)")
            {
                break;
            }
        }

        Assert.Fail($"It does not say '{wanted}', but: {string.Join('\n', _heard.Concat(_lines))}");
    }

    public int WaitForEnd()
    {
        Assert.True(_process.WaitForExit(Soon.Patience), $"It does not end; it said: {string.Join('\n', _heard)}");
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
        _lines.Dispose();
    }
}
