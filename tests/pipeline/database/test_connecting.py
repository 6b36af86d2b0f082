"""Sessions that are cut off: how long both ends wait for the other."""

from sqlalchemy import Engine, text


def test_a_session_gives_up_on_a_silent_network_within_seconds(engine: Engine) -> None:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        parameters = driver.info.get_parameters()
        assert int(parameters["tcp_user_timeout"]) <= 15_000
        assert int(parameters["keepalives_idle"]) <= 15
        # Of the server's end. On a Unix socket, as here, it takes the settings and has no use for them.
        assert "tcp_user_timeout=15000" in parameters["options"]
        assert connection.scalar(text("SELECT 1")) == 1
