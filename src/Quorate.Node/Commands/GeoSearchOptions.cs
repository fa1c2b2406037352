using System.Text;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Where and how GEOSEARCH and GEORADIUS look, and what they answer.</summary>
internal sealed class GeoSearchOptions
{
    private readonly GeoSearchForm _form;
    private readonly bool _mayStore;
    private bool _isPlaced;
    private double? _radius;
    private double? _width;
    private double _height;
    private bool _isAny;

    private GeoSearchOptions(GeoSearchForm form, bool mayStore) => (_form, _mayStore) = (form, mayStore);

    /// <summary>Null when the key that places are looked for under is none: nothing is found.</summary>
    public GeoArea? Area { get; private set; }

    /// <summary>Metres that distances are told in.</summary>
    public double Unit { get; private set; } = 1;

    /// <summary>Places at most; zero for all.</summary>
    public long Count { get; private set; }

    /// <summary>Null for the order in which they are found.</summary>
    public bool? IsDescending { get; private set; }

    /// <summary>The first that are found will do.</summary>
    public bool TakesAny => _isAny;

    public bool WithDistance { get; private set; }

    public bool WithHash { get; private set; }

    public bool WithPoint { get; private set; }

    /// <summary>The word of the result's key; zero when the result is answered.</summary>
    public int StoreAt { get; private set; }

    /// <summary>What is stored with a place: its distance, not its score.</summary>
    public bool StoresDistance { get; private set; }

    private GeoPoint Center { get; set; }

    /// <summary>Null when a row was cold, or a word is none, which has been answered.</summary>
    /// <param name="set">Where the places are; it may be empty.</param>
    public static GeoSearchOptions? Parse(CommandContext context, GeoSearchForm form, SortedSet set, bool mayStore)
    {
        var options = new GeoSearchOptions(form, mayStore) { StoreAt = form == GeoSearchForm.SearchStore ? 1 : 0 };
        int word = options.ReadFixed(context, set);
        while (word > 0 && word < context.Line.Count)
        {
            word = options.Read(context, set, word);
        }

        if (word > 0 && options.Problem(context) is { } problem)
        {
            context.Reply.Error(problem);
            return null;
        }

        if (word <= 0)
        {
            return null;
        }

        options.IsDescending ??= options.Count > 0 && !options._isAny ? false : null;
        options.Area = set.Count == 0
            ? null
            : new GeoArea(options.Center, options._radius, options._width ?? 0, options._height);
        return options;
    }

    /// <summary>The words that stand at fixed places; the first one behind them, or zero.</summary>
    private int ReadFixed(CommandContext context, SortedSet set)
    {
        switch (_form)
        {
            case GeoSearchForm.Radius:
                return TryCenter(context, 2) && TryRadius(context, 4) ? 6 : 0;
            case GeoSearchForm.RadiusByMember when set.Count == 0:
                return 5;
            case GeoSearchForm.RadiusByMember:
                return TryMember(context, set, 2) && TryRadius(context, 3) ? 5 : 0;
            default:
                return _form == GeoSearchForm.SearchStore ? 3 : 2;
        }
    }

    /// <summary>Reads an option; the word behind it, or zero.</summary>
    private int Read(CommandContext context, SortedSet set, int word)
    {
        ReadOnlySpan<byte> option = context.Line[word];
        int behind = context.Line.Count - word - 1;
        bool isSearch = _form is GeoSearchForm.Search or GeoSearchForm.SearchStore;
        if (TryFlag(option))
        {
            return word + 1;
        }

        if (Words.Is(option, "COUNT") && behind >= 1)
        {
            return TryCount(context, word + 1) ? word + 2 : 0;
        }

        if (_form is GeoSearchForm.Radius or GeoSearchForm.RadiusByMember && _mayStore && behind >= 1
            && (Words.Is(option, "STORE") || Words.Is(option, "STOREDIST")))
        {
            StoreAt = word + 1;
            StoresDistance = Words.Is(option, "STOREDIST");
            return word + 2;
        }

        if (isSearch && Words.Is(option, "FROMMEMBER") && behind >= 1 && !_isPlaced)
        {
            return set.Count == 0 || TryMember(context, set, word + 1) ? Placed(word + 2) : 0;
        }

        if (isSearch && Words.Is(option, "FROMLONLAT") && behind >= 2 && !_isPlaced)
        {
            return TryCenter(context, word + 1) ? Placed(word + 3) : 0;
        }

        if (isSearch && Words.Is(option, "BYRADIUS") && behind >= 2 && _width is null)
        {
            return TryRadius(context, word + 1) ? word + 3 : 0;
        }

        if (isSearch && Words.Is(option, "BYBOX") && behind >= 3 && _radius is null)
        {
            return TryBox(context, word + 1) ? word + 4 : 0;
        }

        context.Reply.Error(Errors.Syntax);
        return 0;
    }

    private bool TryFlag(ReadOnlySpan<byte> option)
    {
        bool isAscending = Words.Is(option, "ASC");
        bool isDescending = Words.Is(option, "DESC");
        bool isAny = Words.Is(option, "ANY");
        bool withDistance = Words.Is(option, "WITHDIST");
        bool withHash = Words.Is(option, "WITHHASH");
        bool withPoint = Words.Is(option, "WITHCOORD");
        bool storesDistance = _form == GeoSearchForm.SearchStore && Words.Is(option, "STOREDIST");
        IsDescending = isAscending || isDescending ? isDescending : IsDescending;
        _isAny |= isAny;
        WithDistance |= withDistance;
        WithHash |= withHash;
        WithPoint |= withPoint;
        StoresDistance |= storesDistance;
        return isAscending || isDescending || isAny || withDistance || withHash || withPoint || storesDistance;
    }

    private int Placed(int next)
    {
        _isPlaced = true;
        return next;
    }

    private bool TryCenter(CommandContext context, int word)
    {
        bool isPoint = GeoCommands.TryPoint(context, word, out GeoPoint center);
        Center = center;
        return isPoint;
    }

    private bool TryMember(CommandContext context, SortedSet set, int word)
    {
        if (!set.TryGet(context.Line[word], out double? score))
        {
            return false;
        }

        if (score is not { } found)
        {
            context.Reply.Error("ERR could not decode requested zset member");
            return false;
        }

        Center = GeoPoint.Of(found);
        return true;
    }

    private bool TryRadius(CommandContext context, int word)
    {
        if (!context.TryDouble(word, out double radius, "ERR need numeric radius"))
        {
            return false;
        }

        if (radius < 0)
        {
            context.Reply.Error("ERR radius cannot be negative");
            return false;
        }

        if (!GeoCommands.TryUnit(context, word + 1, out double unit))
        {
            return false;
        }

        Unit = unit;
        _radius = radius * unit;
        return true;
    }

    private bool TryBox(CommandContext context, int word)
    {
        if (!context.TryDouble(word, out double width, "ERR need numeric width")
            || !context.TryDouble(word + 1, out double height, "ERR need numeric height"))
        {
            return false;
        }

        if (width < 0 || height < 0)
        {
            context.Reply.Error("ERR height or width cannot be negative");
            return false;
        }

        if (!GeoCommands.TryUnit(context, word + 2, out double unit))
        {
            return false;
        }

        Unit = unit;
        _width = width * unit;
        _height = height * unit;
        return true;
    }

    private bool TryCount(CommandContext context, int word)
    {
        if (!context.TryInteger(word, out long count))
        {
            return false;
        }

        Count = count;
        if (count <= 0)
        {
            context.Reply.Error("ERR COUNT must be > 0");
        }

        return count > 0;
    }

    /// <summary>What does not go together; null when all does.</summary>
    private string? Problem(CommandContext context)
    {
        bool isSearch = _form is GeoSearchForm.Search or GeoSearchForm.SearchStore;
        string name = Encoding.Latin1.GetString(context.Line[0]);
        string what = _form == GeoSearchForm.SearchStore ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
        return StoreAt > 0 && (WithDistance || WithHash || WithPoint)
                ? $"ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            : isSearch && !_isPlaced
                ? $"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}"
            : isSearch && _radius is null && _width is null
                ? $"ERR exactly one of BYRADIUS and BYBOX can be specified for {name}"
            : _isAny && Count == 0 ? "ERR the ANY argument requires COUNT argument"
            : null;
    }
}

/// <summary>The commands that search among places.</summary>
internal enum GeoSearchForm : byte
{
    Search,
    SearchStore,
    Radius,
    RadiusByMember,
}
