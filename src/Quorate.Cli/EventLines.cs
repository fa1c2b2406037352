using System.Globalization;
using System.Threading.Channels;
using Quorate.Server.Runtime;

namespace Quorate.Cli;

/// <summary>
/// Writes events where people read them, on another thread: whoever reads may stand still, and a node must not wait for
/// that. What comes while too much waits is counted, and the count is written.
/// </summary>
internal sealed class EventLines : IDisposable
{
    /// <summary>Events that wait to be written.</summary>
    private const int WaitingMax = 1024;

    /// <summary>How long an end waits until all is written.</summary>
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(1);

    private readonly Channel<TimedEvent> _waiting = Channel.CreateBounded<TimedEvent>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true });

    private readonly Task _writing;
    private long _lost;

    public EventLines(TextWriter to) => _writing = Task.Run(() => Write(to));

    /// <summary>Any thread may say something; it never waits.</summary>
    public void Say(TimedEvent timed)
    {
        if (!_waiting.Writer.TryWrite(timed))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>Writes what waits, as far as there is time.</summary>
    public void Dispose()
    {
        _waiting.Writer.TryComplete();
        _writing.Wait(EndTime);
    }

    private async Task Write(TextWriter to)
    {
        await foreach (TimedEvent timed in _waiting.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            string time = timed.Time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            await to.WriteLineAsync($"{time} {timed.Event.Kind}: {timed.Event.Sentence}").ConfigureAwait(false);
            if (Interlocked.Exchange(ref _lost, 0) is > 0 and long lost)
            {
                await to.WriteLineAsync(
                    $"quorate: {lost} events were not written here, since nobody read; /events has the last ones.")
                    .ConfigureAwait(false);
            }
        }
    }
}
