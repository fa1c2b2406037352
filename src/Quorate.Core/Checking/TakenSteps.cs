using Quorate.Core.Model;

namespace Quorate.Core.Checking;

/// <summary>
/// The set of steps that a search has taken, as bits, with a hash that changes in step (Zobrist's: each step has a
/// random mark, and the hash of a set is the exclusive or of its members' marks).
/// <para>Invariants: all words before <see cref="_firstOpenWord"/> are full, all after <see cref="_lastUsedWord"/>
/// empty, among those of the mandatory steps.</para>
/// </summary>
internal sealed class TakenSteps
{
    private ulong[] _marks = [];
    private ulong[] _words = [];
    private int _mandatory;
    private int _mandatoryWords;
    private int _wordCount;
    private int _firstOpenWord;
    private int _lastUsedWord;

    public ulong Hash { get; private set; }

    /// <summary>Where <see cref="MandatoryWords"/> begin; those before are full.</summary>
    public int FirstOpenWord => _firstOpenWord;

    /// <summary>The mandatory steps' words from the first that is not full to the last that is not empty.</summary>
    public ReadOnlySpan<ulong> MandatoryWords =>
        _words.AsSpan(_firstOpenWord, Math.Max(0, _lastUsedWord + 1 - _firstOpenWord));

    public ReadOnlySpan<ulong> OptionalWords => _words.AsSpan(_mandatoryWords, _wordCount - _mandatoryWords);

    /// <summary>Empties the set, for steps of which the first so many are mandatory.</summary>
    public void Clear(int mandatory, int count)
    {
        _mandatory = mandatory;
        _mandatoryWords = (mandatory + 63) >> 6;
        _wordCount = _mandatoryWords + ((count - mandatory + 63) >> 6);
        if (_words.Length < _wordCount)
        {
            _words = new ulong[Math.Max(_wordCount, _words.Length * 2)];
        }

        if (_marks.Length < count)
        {
            _marks = new ulong[Math.Max(count, _marks.Length * 2)];
            ulong seed = 0;
            foreach (ref ulong mark in _marks.AsSpan())
            {
                mark = SeededRandom.SplitMix64(ref seed);
            }
        }

        _words.AsSpan(0, _wordCount).Clear();
        _firstOpenWord = 0;
        _lastUsedWord = -1;
        Hash = 0;
    }

    public void Add(int id)
    {
        int word = WordOf(id, out ulong bit);
        _words[word] |= bit;
        Hash ^= _marks[id];
        if (word < _mandatoryWords)
        {
            _lastUsedWord = Math.Max(_lastUsedWord, word);
            while (_firstOpenWord < _mandatoryWords && _words[_firstOpenWord] == ulong.MaxValue)
            {
                _firstOpenWord++;
            }
        }
    }

    public void Remove(int id)
    {
        int word = WordOf(id, out ulong bit);
        _words[word] &= ~bit;
        Hash ^= _marks[id];
        if (word < _mandatoryWords)
        {
            _firstOpenWord = Math.Min(_firstOpenWord, word);
            while (_lastUsedWord >= 0 && _words[_lastUsedWord] == 0)
            {
                _lastUsedWord--;
            }
        }
    }

    private int WordOf(int id, out ulong bit)
    {
        bool optional = id >= _mandatory;
        int place = optional ? id - _mandatory : id;
        bit = 1UL << (place & 63);
        return (place >> 6) + (optional ? _mandatoryWords : 0);
    }
}
