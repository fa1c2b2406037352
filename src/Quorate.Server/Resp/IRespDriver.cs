namespace Quorate.Server.Resp;

/// <summary>Who drives a <see cref="RespConnection"/>.</summary>
internal interface IRespDriver
{
    /// <summary>Calls have ended: give the connection a turn, soon. Any thread; it only passes the word on.</summary>
    void Wake();

    /// <summary>Closes the connection at once; what waits for the client is lost.</summary>
    void Abort();
}
