using System.Diagnostics;
using System.Threading.Channels;

namespace Quorate.Cli.Load;

/// <summary>What a load came to.</summary>
/// <param name="Seconds">That were measured.</param>
/// <param name="Done">Requests answered well while it was measured.</param>
/// <param name="Refused">Surely not executed.</param>
/// <param name="Unknown">Perhaps executed.</param>
/// <param name="Errors">Answered with an error of the command, such as INCR of what is no integer.</param>
/// <param name="Reconnects">How often a client went to another connection.</param>
/// <param name="LongestGapMilliseconds">The longest time in which no write was acknowledged to any client.</param>
/// <param name="FirstError">The first error that came, for people.</param>
internal sealed record LoadResult(
    double Seconds,
    long Done,
    long Refused,
    long Unknown,
    long Errors,
    long Reconnects,
    double LongestGapMilliseconds,
    LatencyQuantiles Latencies,
    string? FirstError,
    string? Failure)
{
    public double Rate => Seconds > 0 ? Done / Seconds : 0;
}

/// <summary>A load under way: its clients, its counts, its history.</summary>
internal sealed class LoadRun(LoadSettings settings)
{
    /// <summary>Lines of the history that wait to be written; clients wait beyond.</summary>
    private const int HistoryLinesWaitingMax = 64 * 1024;

    private readonly Lock _gapLock = new();
    private long _started;
    private long _done;
    private long _measured;
    private long _refused;
    private long _unknown;
    private long _errors;
    private long _reconnects;
    private long _value;
    private long _lastWrite;
    private long _longestGap;
    private string? _firstError;
    private string? _noNode;
    private string? _failure;
    private volatile bool _isMeasured;
    private Channel<HistoryLine>? _history;

    /// <summary>The clock of the history: microseconds since some moment in the past.</summary>
    public static long Microseconds => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);

    public bool IsMeasured => _isMeasured;

    public bool WantsMore => _failure is null
        && (settings.RequestsMax == 0 || Interlocked.Read(ref _started) < settings.RequestsMax);

    /// <summary>Requests answered well so far, the warm-up included.</summary>
    public long Done => Interlocked.Read(ref _done);

    /// <summary>Null when none is recorded.</summary>
    public ChannelWriter<HistoryLine>? History => _history?.Writer;

    public async Task<LoadResult> Run(Action<double>? progress, CancellationToken stop)
    {
        Task? writing = settings.HistoryFile is { } file ? OpenHistory(file) : null;
        KeyChoice choice = settings.ZipfSkew > 0
            ? KeyChoice.Zipf(settings.Keys, settings.ZipfSkew)
            : KeyChoice.Uniform(settings.Keys);
        LoadClient[] clients = [.. Enumerable.Range(0, settings.Clients)
            .Select(id => new LoadClient(settings, this, choice, id))];
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task all = Task.WhenAll(clients.Select(client => client.Run(end.Token)));
        var clock = Stopwatch.StartNew();
        await Watch(all, settings.WarmUp, _ => { }, stop).ConfigureAwait(false);
        TimeSpan begun = clock.Elapsed;
        _isMeasured = true;
        await Watch(all, settings.Time, progress ?? (_ => { }), stop).ConfigureAwait(false);
        double seconds = (clock.Elapsed - begun).TotalSeconds;
        _isMeasured = false;
        await end.CancelAsync().ConfigureAwait(false);
        await all.ConfigureAwait(false);
        _history?.Writer.Complete();
        await (writing ?? Task.CompletedTask).ConfigureAwait(false);
        var latencies = new LatencyQuantiles();
        foreach (LoadClient client in clients)
        {
            latencies.Merge(client.Latencies);
            client.Dispose();
        }

        string? failure = _failure ?? (_done == 0 ? _firstError ?? _noNode ?? "No request was answered." : null);
        return new LoadResult(
            seconds,
            _measured,
            _refused,
            _unknown,
            _errors,
            _reconnects,
            Math.Max(_longestGap, 0) / 1000.0,
            latencies,
            _firstError,
            failure);
    }

    /// <summary>A number that no other write of this run has written; never zero.</summary>
    public long NextValue() => Interlocked.Increment(ref _value);

    public void CountDone(bool isWrite, long now)
    {
        Interlocked.Increment(ref _started);
        Interlocked.Increment(ref _done);
        if (_isMeasured)
        {
            Interlocked.Increment(ref _measured);
        }

        // Looked at once a millisecond at most: gaps that matter are longer.
        if (isWrite && now - Volatile.Read(ref _lastWrite) >= 1000)
        {
            lock (_gapLock)
            {
                if (_lastWrite != 0)
                {
                    _longestGap = Math.Max(_longestGap, now - _lastWrite);
                }

                _lastWrite = Math.Max(_lastWrite, now);
            }
        }
    }

    public void CountFailed(bool isUnknown, string error)
    {
        Interlocked.Increment(ref _started);
        bool isOfCommand = !isUnknown
            && (error.StartsWith("ERR ", StringComparison.Ordinal)
                || error.StartsWith("WRONGTYPE ", StringComparison.Ordinal));
        Interlocked.Increment(ref (isUnknown ? ref _unknown : ref (isOfCommand ? ref _errors : ref _refused)));
        Interlocked.CompareExchange(ref _firstError, error, null);
    }

    public void CountReconnect() => Interlocked.Increment(ref _reconnects);

    /// <summary>A node could not be reached; that counts only when none ever is.</summary>
    public void SawNoNode(string error) => Interlocked.CompareExchange(ref _noNode, error, null);

    /// <summary>Nothing more can be measured, for this reason.</summary>
    public void Fail(string sentence) => Interlocked.CompareExchange(ref _failure, sentence, null);

    public void Record(HistoryLine line)
    {
        ChannelWriter<HistoryLine> history = _history!.Writer;
        while (!history.TryWrite(line))
        {
            // The client's thread waits, as its requests would: what cannot be written down is not to be asked.
            history.WaitToWriteAsync().AsTask().Wait();
        }
    }

    private static async Task Watch(Task all, TimeSpan time, Action<double> progress, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < time && !all.IsCompleted && !stop.IsCancellationRequested)
        {
            TimeSpan step = TimeSpan.FromMilliseconds(100);
            TimeSpan left = time - clock.Elapsed;
            await Task.WhenAny(all, Task.Delay(left < step ? left : step, CancellationToken.None))
                .ConfigureAwait(false);
            progress(Math.Min(1, clock.Elapsed / time));
        }
    }

    private Task OpenHistory(string file)
    {
        _history = Channel.CreateBounded<HistoryLine>(HistoryLinesWaitingMax);
        var output = new StreamWriter(file, append: false);
        return Task.Run(async () =>
        {
            await using (output.ConfigureAwait(false))
            {
                await foreach (HistoryLine line in _history.Reader.ReadAllAsync().ConfigureAwait(false))
                {
                    HistoryFile.Write(output, line);
                }
            }
        });
    }
}
