"""Families of methods: the settings model of a method registers itself by subclassing the base of a family."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, GetCoreSchemaHandler

from workflow_scripts.settings.base import Model


class Method(Model):
    """Base of the families, each of which has a `tag` and a `registry`.

    A subclass whose field `tag` has a default is a method of that name; one without is shared by several. Where a
    field's type is the family itself, pydantic takes the union of all methods that are registered when the model that
    has the field is built; a method that is defined later is accepted after that model's `model_rebuild(force=True)`.
    """

    tag: ClassVar[str]
    """The field whose value names the method in the configuration."""
    registry: ClassVar[dict[str, Any]]
    """The models of the family by the names of the methods, in the order of their definition."""

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
        """Return the method's name in the configuration, which is also that of the module with the code."""
        return getattr(self, self.tag)

    @property
    def takes_torch(self) -> bool:
        """Return whether the job loads PyTorch, which a job on a GPU does."""
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
