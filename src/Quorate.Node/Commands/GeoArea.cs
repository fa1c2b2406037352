namespace Quorate.Node.Commands;

/// <summary>
/// A circle or a box around a place. The scores of places inside it lie in a few ranges: those of the cells that it
/// touches, of the finest grid in which these are few.
/// </summary>
/// <param name="Radius">Of a circle, in metres; null for a box.</param>
/// <param name="Width">Of a box, in metres.</param>
/// <param name="Height">Of a box, in metres.</param>
internal sealed record GeoArea(GeoPoint Center, double? Radius, double Width, double Height)
{
    /// <summary>A grid is fine enough when the area touches no more of its cells in each direction.</summary>
    private const int CellsMax = 4;

    /// <summary>What rounding may take from or add to a coordinate, in degrees: more than the finest cell
    /// has.</summary>
    private const double Margin = 0.0001;

    /// <summary>Whether a place is inside; how far it is from the middle, in metres.</summary>
    public bool Contains(GeoPoint place, out double distance)
    {
        distance = Center.DistanceTo(place);
        return Radius is { } radius
            ? distance <= radius
            : Center.MeridianTo(place) <= Height / 2
                && place.DistanceTo(place with { Longitude = Center.Longitude }) <= Width / 2;
    }

    /// <summary>The scores that places inside may have, as ranges that do not overlap.</summary>
    public List<(ulong From, ulong To)> Ranges()
    {
        double halfHeight = GeoPoint.DegreesOf(Radius ?? (Height / 2)) + Margin;
        double south = Math.Max(Center.Latitude - halfHeight, -GeoPoint.LatitudeMax);
        double north = Math.Min(Center.Latitude + halfHeight, GeoPoint.LatitudeMax);
        List<(double West, double East)> spans = Longitudes(HalfWidth(south, north) + Margin);
        int steps = GeoPoint.Steps;
        while (steps > 0
            && (CellsOf(south, north, GeoPoint.LatitudeMax, steps) > CellsMax
                || spans.Sum(span => CellsOf(span.West, span.East, GeoPoint.LongitudeMax, steps)) > CellsMax))
        {
            steps--;
        }

        var cells = new SortedSet<ulong>();
        foreach ((double west, double east) in spans)
        {
            uint lastX = GeoPoint.Cell(east, GeoPoint.LongitudeMax, steps);
            uint lastY = GeoPoint.Cell(north, GeoPoint.LatitudeMax, steps);
            for (uint x = GeoPoint.Cell(west, GeoPoint.LongitudeMax, steps); x <= lastX; x++)
            {
                for (uint y = GeoPoint.Cell(south, GeoPoint.LatitudeMax, steps); y <= lastY; y++)
                {
                    cells.Add(GeoPoint.Interleave(y, x));
                }
            }
        }

        int rest = 2 * (GeoPoint.Steps - steps);
        return [.. cells.Select(cell => (cell << rest, (cell + 1) << rest))];
    }

    private static long CellsOf(double low, double high, double max, int steps) =>
        GeoPoint.Cell(high, max, steps) - (long)GeoPoint.Cell(low, max, steps) + 1;

    /// <summary>
    /// How many degrees of longitude the area reaches at most to either side: meridians run together towards the poles,
    /// so it is widest where it is nearest to one.
    /// </summary>
    private double HalfWidth(double south, double north)
    {
        double reach = GeoPoint.DegreesOf(Radius ?? (Width / 2)) * (Math.PI / 180);
        double narrowest = Math.Cos(Math.Max(Math.Abs(south), Math.Abs(north)) * (Math.PI / 180));
        double sine = Math.Sin(Math.Min(reach / 2, Math.PI / 2)) / narrowest;
        return sine >= 1 ? GeoPoint.LongitudeMax : 2 * Math.Asin(sine) * (180 / Math.PI);
    }

    /// <summary>From west to east; two spans where the area lies across the antimeridian.</summary>
    private List<(double West, double East)> Longitudes(double half)
    {
        const double max = GeoPoint.LongitudeMax;
        double west = Center.Longitude - half;
        double east = Center.Longitude + half;
        return half >= max ? [(-max, max)]
            : west < -max ? [(west + (2 * max), max), (-max, east)]
            : east > max ? [(west, max), (-max, east - (2 * max))]
            : [(west, east)];
    }
}
