using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Quorate.Server.Runtime;

namespace Quorate.Cli;

/// <summary>
/// Writes events where people read them, on a thread of its own: whoever reads may stand still, and a node must not
/// wait for that, neither while it runs nor when it ends. What comes while too much waits is counted, and the count is
/// written.
/// </summary>
internal sealed class EventLines : IDisposable
{
    /// <summary>Lines that wait to be written.</summary>
    private const int WaitingMax = 1024;

    /// <summary>How long an end waits until all is written, in milliseconds.</summary>
    private const int EndMilliseconds = 1000;

    /// <summary>How long one try to write takes at most, in milliseconds.</summary>
    private const int TryMilliseconds = 100;

    /// <summary>How each event begins, in UTC.</summary>
    internal const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    private readonly Channel<(TimedEvent? Event, string? Line)> _waiting =
        Channel.CreateBounded<(TimedEvent? Event, string? Line)>(
            new BoundedChannelOptions(WaitingMax) { SingleReader = true });

    private readonly WriteSome _to;
    private readonly int _endMilliseconds;
    private readonly Thread _writing;
    private long _lost;
    private long _endBy = long.MaxValue;

    /// <param name="endMilliseconds">How long an end waits until all is written.</param>
    public EventLines(WriteSome to, int endMilliseconds = EndMilliseconds)
    {
        (_to, _endMilliseconds) = (to, endMilliseconds);
        _writing = new Thread(Write) { Name = "quorate-lines", IsBackground = true };
        _writing.Start();
    }

    /// <summary>
    /// Writes what there is room for within a time; how many bytes, negative when nobody will ever read.
    /// </summary>
    public delegate int WriteSome(ReadOnlySpan<byte> bytes, int milliseconds);

    /// <summary>Any thread may say something; it never waits.</summary>
    public void Say(TimedEvent timed) => Add((timed, null));

    /// <inheritdoc cref="Say(TimedEvent)"/>
    public void Say(string line) => Add((null, line));

    /// <summary>Writes what waits, as far as there is time and somebody reads.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _endBy, Environment.TickCount64 + _endMilliseconds);
        _waiting.Writer.TryComplete();
        _writing.Join(_endMilliseconds + TryMilliseconds);
    }

    private void Add((TimedEvent? Event, string? Line) added)
    {
        if (!_waiting.Writer.TryWrite(added))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    private void Write()
    {
        ChannelReader<(TimedEvent? Event, string? Line)> waiting = _waiting.Reader;
        while (waiting.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (waiting.TryRead(out (TimedEvent? Event, string? Line) next))
            {
                string line = next.Event is { } timed
                    ? $"{TextOf(timed.Time)} {timed.Event.Kind}: {timed.Event.Sentence}"
                    : next.Line!;
                if (!TryWrite(line))
                {
                    return;
                }

                if (Interlocked.Exchange(ref _lost, 0) is > 0 and long lost
                    && !TryWrite($"quorate: {lost} lines were not written here, since nobody read; /events has the "
                        + "last events."))
                {
                    return;
                }
            }
        }
    }

    private static string TextOf(DateTimeOffset time) =>
        time.ToString(TimeFormat, CultureInfo.InvariantCulture);

    /// <summary>False when the end has come first, or nobody will read any more.</summary>
    private bool TryWrite(string line)
    {
        ReadOnlySpan<byte> left = Encoding.UTF8.GetBytes(line + "\n");
        while (left.Length > 0)
        {
            int written = _to(left, TryMilliseconds);
            bool isOver = written < 0
                || (written < left.Length && Environment.TickCount64 >= Volatile.Read(ref _endBy));
            if (isOver)
            {
                return false;
            }

            left = left[written..];
        }

        return true;
    }
}
