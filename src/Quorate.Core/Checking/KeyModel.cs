using System.Runtime.InteropServices;
using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>In which states a transition may happen.</summary>
public enum Guard : byte
{
    /// <summary>In every state.</summary>
    Always = 0,

    /// <summary>Only in the state that the guard names.</summary>
    When = 1,

    /// <summary>In every state but the one that the guard names.</summary>
    Unless = 2,
}

/// <summary>What a transition does to the state.</summary>
public enum Effect : byte
{
    /// <summary>Leaves it.</summary>
    Keeps = 0,

    /// <summary>Makes it the named value, whatever it was.</summary>
    Sets = 1,

    /// <summary>Adds the named value to it (wrapping).</summary>
    Adds = 2,
}

/// <summary>
/// What one operation demands of a key's state and does to it, in the few shapes that the reductions in
/// <see cref="KeyProblem"/> are proved for. Whatever a model can say in these shapes they hold for.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Transition(Guard Guard, long GuardValue, Effect Effect, long EffectValue)
{
    public static readonly Transition Nothing;

    /// <summary>True when no state is changed by it, in whichever states it may happen.</summary>
    public bool KeepsState => Effect switch
    {
        Effect.Keeps => true,
        Effect.Sets => Guard == Guard.When && GuardValue == EffectValue,
        _ => EffectValue == 0,
    };

    /// <summary>True when it may happen in every state and leaves the same one: it hides what was before.</summary>
    public bool IsBlind => Guard == Guard.Always && Effect == Effect.Sets;

    public bool IsLegalIn(long state) => Guard switch
    {
        Guard.Always => true,
        Guard.When => state == GuardValue,
        _ => state != GuardValue,
    };

    public long From(long state) => Effect switch
    {
        Effect.Keeps => state,
        Effect.Sets => EffectValue,
        _ => unchecked(state + EffectValue),
    };
}

/// <summary>
/// The sequential meaning of one key's operations (the sequential specification of Herlihy and Wing, section 2.2),
/// given operation by operation as a <see cref="Transition"/> on a state of 64 bits.
/// </summary>
public interface IKeyModel
{
    /// <summary>The state before the first operation.</summary>
    long Initial { get; }

    /// <summary>
    /// What the operation demands and does. A done operation's result must be part of the demand; of any other
    /// the result is unconstrained, and the transition tells what it does in case it takes effect.
    /// </summary>
    Transition TransitionOf(in Operation operation);
}

/// <summary>A register of one number that starts, and after a delete is, absent: 0.</summary>
public readonly record struct RegisterModel : IKeyModel
{
    public long Initial => 0;

    public Transition TransitionOf(in Operation operation)
    {
        bool done = operation.Outcome == Outcome.Done;
        long argument = operation.Argument;
        return operation.Kind switch
        {
            OperationKind.Read when done => new(Guard.When, operation.Result, Effect.Keeps, 0),
            OperationKind.Read => Transition.Nothing,
            OperationKind.Write => new(Guard.Always, 0, Effect.Sets, argument),
            OperationKind.CompareAndSet when done && operation.Result == 0 =>
                new(Guard.Unless, operation.Expected, Effect.Keeps, 0),
            OperationKind.CompareAndSet => new(Guard.When, operation.Expected, Effect.Sets, argument),
            OperationKind.Add when done =>
                new(Guard.When, unchecked(operation.Result - argument), Effect.Sets, operation.Result),
            _ => new(Guard.Always, 0, Effect.Adds, argument),
        };
    }
}
