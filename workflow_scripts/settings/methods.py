"""The base class of families of methods. Each method has a class for its settings, which is registered when it is
defined."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, GetCoreSchemaHandler

from workflow_scripts.settings.base import Model


class Method(Model):
    """Base class of families of methods, such as clusterers. A family is a subclass with a `tag` and a `registry`.

    A method is a subclass of its family. `tag` is the name of a field, such as `kind`, whose default is the method's
    name. (A subclass without this field is not a method but a common base of several.) A model with a field of the
    family's type accepts all methods that were registered when pydantic built the model. For methods that are defined
    later, call the model's `model_rebuild(force=True)`.
    """

    tag: ClassVar[str]
    """The name of the field that holds the method's name."""
    registry: ClassVar[dict[str, Any]]
    """The settings models of the family's methods, by method name, in the order of their definition."""
    in_prose: ClassVar[str] = ""
    """The method as a noun phrase for the methods paragraph that a run writes for a paper. Settings stand in braces; a
    source is `[@key]`, with a key of `pages/methods/references.bib`. Empty if a paper would not mention the method."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "registry" in cls.__dict__ or cls.tag not in cls.model_fields:
            return
        name = cls.model_fields[cls.tag].default
        if name in cls.registry:
            raise TypeError(f"{cls.__name__}: the {cls.tag} {name!r} is that of {cls.registry[name].__name__}")
        cls.registry[name] = cls

    @property
    def method_name(self) -> str:
        """Return the method's name, which is also the name of the module with its code."""
        return getattr(self, self.tag)

    @property
    def prose(self) -> str:
        """Return the text `in_prose`, in which each name in braces is replaced by the value of this setting."""
        return self.in_prose.format(**self.dump())

    @property
    def takes_torch(self) -> bool:
        """Return whether the method's job loads PyTorch; every job on a GPU does."""
        return self.takes_gpu

    @property
    def takes_gpu(self) -> bool:
        """Return whether the job runs on a GPU."""
        return False

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> Any:
        if "registry" not in cls.__dict__ or not cls.registry:
            return handler(source)
        union: Any = None
        for model in cls.registry.values():
            union = model if union is None else union | model
        return handler.generate_schema(Annotated[union, Field(discriminator=cls.tag)])


class OnDevice(Model):
    """Base class of the settings of methods that run on the CPU or on a GPU."""

    device: Literal["cpu", "cuda"] = "cpu"

    @property
    def takes_gpu(self) -> bool:
        """Return whether the job runs on a GPU."""
        return self.device == "cuda"
