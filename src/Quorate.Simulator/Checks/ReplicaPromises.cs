using Quorate.Core.Raft;

namespace Quorate.Simulator.Checks;

/// <summary>
/// What one replica's disk must hold after a loss of power at any moment of a run in which the process lived all the
/// time: up to which entry the log was told to be durable, as far as nothing was cut or replaced later, and term and
/// vote.
/// </summary>
/// <param name="now">The moment, as the recording of the disk counts them.</param>
internal sealed class ReplicaPromises(Func<int> now)
{
    /// <summary>In their order: a promise, or a cut of all from an index on, with what was promised before.</summary>
    private readonly List<(int Moment, ulong Last, HardState State)> _promises = [];
    private readonly List<(int Before, ulong From)> _cuts = [];

    /// <summary>From so many promises on what is cut is known to <see cref="At"/>.</summary>
    private int _judged;

    public void Writing(Persist persist)
    {
        if (persist.TruncateFrom.Value > 0)
        {
            _cuts.Add((_promises.Count, persist.TruncateFrom.Value));
        }

        if (persist.ResetTo is { } snapshot)
        {
            _cuts.Add((_promises.Count, snapshot.Index.Value + 1));
        }
    }

    public void Durable(ShadowLog log) => _promises.Add((now(), log.Last, log.HardState));

    /// <summary>The run is over: what was cut later was not promised for good.</summary>
    public void End()
    {
        foreach ((int before, ulong from) in _cuts)
        {
            for (int i = 0; i < before; i++)
            {
                _promises[i] = _promises[i] with { Last = Math.Min(_promises[i].Last, from - 1) };
            }
        }
    }

    /// <summary>What was promised by a moment; nothing before the first promise.</summary>
    public (ulong Last, HardState State) At(int moment)
    {
        // Moments are asked for in their order.
        _judged = _judged > 0 && _promises[_judged - 1].Moment > moment ? 0 : _judged;
        while (_judged < _promises.Count && _promises[_judged].Moment <= moment)
        {
            _judged++;
        }

        return _judged == 0 ? default : (_promises[_judged - 1].Last, _promises[_judged - 1].State);
    }
}
