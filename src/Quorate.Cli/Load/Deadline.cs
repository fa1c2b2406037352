namespace Quorate.Cli.Load;

/// <summary>
/// A limit on the time of one exchange. Making a timer for each would cost more than the exchange does, so one source
/// per thread is used again and again while it has not fired.
/// </summary>
internal readonly struct Deadline : IDisposable
{
    [ThreadStatic]
    private static CancellationTokenSource? _idle;

    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _stop;

    public Deadline(TimeSpan time, CancellationToken stop)
    {
        _source = _idle ?? new CancellationTokenSource();
        _idle = null;
        _source.CancelAfter(time);
        _stop = stop.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _stop.Dispose();
        if (_idle is null && _source.TryReset())
        {
            _idle = _source;
        }
        else
        {
            _source.Dispose();
        }
    }
}
