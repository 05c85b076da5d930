"""The addresses that the stand-in knows; none of them is anybody's home."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Street:
    """One address."""

    id: str
    number: str
    route: str
    city: str
    region: str
    region_code: str
    country: str
    country_code: str
    postal_code: str
    latitude: float
    longitude: float

    @property
    def formatted(self) -> str:
        """Write it on one line."""
        place = f"{self.city}, {self.region_code} {self.postal_code}, {self.country}"
        return f"{self.number} {self.route}, {place}"

    def components(self) -> Iterator[tuple[str, str, str]]:
        """List long name, short name and type of each part."""
        yield self.number, self.number, "street_number"
        yield self.route, self.route, "route"
        yield self.city, self.city, "locality"
        yield self.region, self.region_code, "administrative_area_level_1"
        yield self.country, self.country_code, "country"
        yield self.postal_code, self.postal_code, "postal_code"


def component(long: str, short: str, kind: str) -> dict[str, Any]:
    """Write one part as Google does."""
    types = [kind, "political"] if kind in {"locality", "country"} else [kind]
    return {"longText": long, "shortText": short, "types": types, "languageCode": "en"}


_CA = ("Canada", "CA")
STREETS = (
    Street(
        "ChIJsandbox0001", "1000", "Rue de la Gauchetière Ouest", "Montréal", "Québec", "QC",
        *_CA, "H3B 4W5", 45.4982, -73.5665,
    ),
    Street(
        "ChIJsandbox0002", "1000", "Rue Saint-Jean", "Québec", "Québec", "QC",
        *_CA, "G1R 1S4", 46.8121, -71.2145,
    ),
    Street(
        "ChIJsandbox0003", "100", "Queen Street West", "Toronto", "Ontario", "ON",
        *_CA, "M5H 2N2", 43.6534, -79.3841,
    ),
    Street(
        "ChIJsandbox0004", "1600", "Amphitheatre Parkway", "Mountain View", "California", "CA",
        "United States", "US", "94043", 37.4220, -122.0847,
    ),
)  # fmt: skip
