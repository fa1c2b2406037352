using System.Buffers;
using Quorate.Core;

namespace Quorate.Node.Evaluation;

/// <summary>
/// How buffers that are used again and again are emptied: each partition has some, so what one large value has made of
/// them must not stay.
/// </summary>
internal static class KeptBuffer
{
    /// <summary>A buffer of up to this many bytes is kept for the next use.</summary>
    public const int BytesMax = 256 * 1024;

    /// <summary>The same buffer without its contents, or another one in place of a large one.</summary>
    public static ArrayBufferWriter<byte> Empty(ArrayBufferWriter<byte> buffer)
    {
        if (buffer.Capacity > BytesMax && Guards.LargeBuffersAreLetGo)
        {
            return new();
        }

        buffer.ResetWrittenCount();
        return buffer;
    }
}
