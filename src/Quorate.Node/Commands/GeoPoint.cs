using System.Runtime.InteropServices;

namespace Quorate.Node.Commands;

/// <summary>
/// A place on the earth, in degrees, as a score of a sorted set: 26 bits of latitude and of longitude each, taken in
/// turns (a geohash; Morton, "A computer oriented geodetic data base", 1966). Nearby places mostly have nearby scores.
/// The poles beyond 85.05 degrees are left out, as in Redis and in Mercator maps.
/// </summary>
/// <param name="Longitude">-180 to 180.</param>
/// <param name="Latitude">-85.05112878 to 85.05112878.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct GeoPoint(double Longitude, double Latitude)
{
    public const double LongitudeMax = 180;
    public const double LatitudeMax = 85.05112878;

    /// <summary>Bits of each coordinate in a score.</summary>
    public const int Steps = 26;

    /// <summary>Of the sphere that distances are on, in metres.</summary>
    private const double EarthRadius = 6372797.560856;

    private const string Digits = "0123456789bcdefghjkmnpqrstuvwxyz";

    public bool IsOnMap => Math.Abs(Longitude) <= LongitudeMax && Math.Abs(Latitude) <= LatitudeMax;

    public ulong Score => Interleave(Cell(Latitude, LatitudeMax, Steps), Cell(Longitude, LongitudeMax, Steps));

    /// <summary>The middle of the cell that a score stands for.</summary>
    public static GeoPoint Of(double score)
    {
        ulong bits = (ulong)score;
        return new(
            Middle(Part(bits >> 1), LongitudeMax), Middle(Part(bits), LatitudeMax));
    }

    /// <summary>
    /// The standard geohash of eleven characters, which divides all of -90 to 90 degrees; the last two bits of the
    /// eleventh are not known and zero.
    /// </summary>
    public string ToText()
    {
        ulong bits = Interleave(Cell(Latitude, 90, Steps), Cell(Longitude, LongitudeMax, Steps));
        return string.Create(11, bits, static (text, hash) =>
        {
            for (int i = 0; i < 10; i++)
            {
                text[i] = Digits[(int)(hash >> (52 - (5 * (i + 1)))) & 31];
            }

            text[10] = Digits[0];
        });
    }

    /// <summary>Along the sphere (haversine), in metres.</summary>
    public double DistanceTo(GeoPoint other)
    {
        double latitude = Radians(Latitude);
        double otherLatitude = Radians(other.Latitude);
        double v = Math.Sin((Radians(other.Longitude) - Radians(Longitude)) / 2);
        if (v == 0)
        {
            return MeridianTo(other);
        }

        double u = Math.Sin((otherLatitude - latitude) / 2);
        double a = (u * u) + (Math.Cos(latitude) * Math.Cos(otherLatitude) * v * v);
        return 2 * EarthRadius * Math.Asin(Math.Sqrt(a));
    }

    /// <summary>The distance of their latitudes alone, in metres.</summary>
    public double MeridianTo(GeoPoint other) => EarthRadius * Math.Abs(Radians(other.Latitude) - Radians(Latitude));

    /// <summary>How many degrees of latitude a way along a meridian is.</summary>
    public static double DegreesOf(double metres) => metres / EarthRadius * (180 / Math.PI);

    /// <summary>The cell that a coordinate falls into when -max to max is halved so often.</summary>
    public static uint Cell(double coordinate, double max, int steps) =>
        (uint)Math.Min((coordinate + max) / (2 * max) * (1UL << steps), (1UL << steps) - 1);

    /// <summary>The bits of two numbers in turns, those of the first at the even places.</summary>
    public static ulong Interleave(uint even, uint odd) => Spread(even) | (Spread(odd) << 1);

    private static double Radians(double degrees) => degrees * (Math.PI / 180);

    private static double Middle(uint cell, double max)
    {
        double low = -max + (cell * 1.0 / (1UL << Steps) * (2 * max));
        double high = -max + ((cell + 1) * 1.0 / (1UL << Steps) * (2 * max));
        return Math.Clamp((low + high) / 2, -max, max);
    }

    private static ulong Spread(uint value)
    {
        ulong bits = value;
        bits = (bits | (bits << 16)) & 0x0000FFFF0000FFFF;
        bits = (bits | (bits << 8)) & 0x00FF00FF00FF00FF;
        bits = (bits | (bits << 4)) & 0x0F0F0F0F0F0F0F0F;
        bits = (bits | (bits << 2)) & 0x3333333333333333;
        return (bits | (bits << 1)) & 0x5555555555555555;
    }

    private static uint Part(ulong bits)
    {
        bits &= 0x5555555555555555;
        bits = (bits | (bits >> 1)) & 0x3333333333333333;
        bits = (bits | (bits >> 2)) & 0x0F0F0F0F0F0F0F0F;
        bits = (bits | (bits >> 4)) & 0x00FF00FF00FF00FF;
        bits = (bits | (bits >> 8)) & 0x0000FFFF0000FFFF;
        return (uint)(bits | (bits >> 16));
    }
}
