namespace Quorate.Simulator.Scripts;

/// <summary>Work of a replica's host that a script may ask to be late.</summary>
[Flags]
internal enum LateWork
{
    None = 0,
    Persist = 1,
    Apply = 2,
    Fetch = 4,
    Install = 8,
    Checkpoint = 16,
}
