namespace Quorate.Server.Runtime;

/// <summary>
/// Judges from how many connections are answered in one round whether many clients are at work. Unlike a rate it does
/// not hang on how fast the machine is, or who else uses it. Fed by who drives; read by anybody.
/// </summary>
internal sealed class LoadGauge(NodeLoopSettings settings)
{
    /// <summary>A mean over about so many rounds in which somebody was answered.</summary>
    private const int Rounds = 8;

    private int _meanInRounds;
    private bool _isBusy;

    public bool IsBusy => Volatile.Read(ref _isBusy);

    public void Count(int answered)
    {
        _meanInRounds += answered - (_meanInRounds / Rounds);
        Volatile.Write(ref _isBusy, _meanInRounds >= settings.BusyAnswers * Rounds);
    }
}
